"""Every error a client can be told, as classes whose texts are Redis's to the byte.

A handler raises; the dispatcher alone catches, and encodes ``-CODE message``.  One catalogue, kept in
a file per topic; everybody imports it from here.
"""

from .acl import *
from .base import *
from .clients import *
from .cluster import *
from .configuration import *
from .geo import *
from .refusals import *
from .replication import *
from .scripts import *
from .server import *
from .streams import *
from .values import *
