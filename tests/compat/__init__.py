"""The same script on a real server and on ours, replies compared byte for byte."""
