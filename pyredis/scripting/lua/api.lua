-- The table `redis` of scripts.  redis.call and redis.pcall are functions of the host.
local core = ...
local type, next, select, tonumber, tostring, floor = type, next, select, tonumber, tostring, math.floor
local find, match, sub, concat = string.find, string.match, string.sub, table.concat
local raise = core.raise

local WRONG_ARGUMENTS = 'ERR wrong number or type of arguments'

-- What lua_tonumber and a conversion to int make of an argument.
local function to_int(value)
    local number = tonumber(value) or 0
    return number < 0 and -floor(-number) or floor(number)
end

-- "-CODE text" or, without a code, "text" for which ERR is assumed (luaPushErrorBuff).
local function error_reply(...)
    local text = ...
    if select('#', ...) ~= 1 or type(text) ~= 'string' then
        return { err = WRONG_ARGUMENTS }
    end
    text = match(text, '^%-?(%Z*)')
    local space = find(text, ' ', 1, true)
    local code = 'ERR'
    if space then
        code, text = sub(text, 1, space - 1), sub(text, space + 1)
    end
    return { err = code .. ' ' .. match(text, '^[\r\n]*(.-)[\r\n]*$') }
end

local function status_reply(...)
    local text = ...
    if select('#', ...) ~= 1 or type(text) ~= 'string' then
        return { err = WRONG_ARGUMENTS }
    end
    return { ok = text }
end

local function sha1hex(...)
    local text = ...
    if select('#', ...) ~= 1 then
        raise('wrong number of arguments')
    end
    local kind = type(text)
    return core.sha1hex((kind == 'string' or kind == 'number') and tostring(text) or '')
end

local function log(...)
    local count, level = select('#', ...), ...
    if count < 2 then
        raise('redis.log() requires two arguments or more.')
    elseif not tonumber(level) then
        raise('First argument must be a number (log level).')
    end
    level = to_int(level)
    if level < 0 or level > 3 then
        raise('Invalid debug level.')
    end
    local words = {}
    for i = 2, count do
        local word = select(i, ...)
        if type(word) == 'string' or type(word) == 'number' then
            words[#words + 1] = tostring(word)
        elseif i == 2 then
            words[1] = '' -- the space before the next word stays
        end
    end
    core.log(level, concat(words, ' '))
end

local function setresp(...)
    if select('#', ...) ~= 1 then
        raise('redis.setresp() requires one argument.')
    end
    local version = to_int((...))
    if version ~= 2 and version ~= 3 then
        raise('RESP version must be 2 or 3.')
    end
    core.set_resp(version)
    core.set_script_resp(version)
end

local function set_repl(...)
    if select('#', ...) ~= 1 then
        raise('redis.set_repl() requires one argument.')
    end
    local flags = to_int((...))
    if flags < 0 or flags > 3 then
        raise('Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.')
    end
    core.set_repl(flags)
end

-- What libraries see of `redis` while they load, and scripts as well.
local function common()
    return {
        log = log,
        LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
        REDIS_VERSION_NUM = core.version_number,
        REDIS_VERSION = core.version,
    }
end

local redis = common()
redis.call = core.call
redis.pcall = core.pcall
redis.acl_check_cmd = core.acl_check_cmd
redis.error_reply = error_reply
redis.status_reply = status_reply
redis.sha1hex = sha1hex
redis.setresp = setresp
redis.set_repl = set_repl
redis.REPL_NONE = 0
redis.REPL_AOF = 1
redis.REPL_SLAVE = 2
redis.REPL_REPLICA = 2
redis.REPL_ALL = 3

core.redis, core.common_api = redis, common

-- Functions of the host take a little less than the 8000 arguments that C functions take in Redis.  Only
-- what a script unpacks is ever that long, so scripts that do find these in place of the host's own,
-- which do without a frame more and without losing the script's to a tail call.

local MOST_ARGUMENTS = 7900

local function patient(call, call_list)
    return function(...)
        local count = select('#', ...)
        if count <= MOST_ARGUMENTS then
            return call(...)
        end
        local words = { ... }
        for i = 1, count do
            if words[i] == nil then
                return call(nil)
            end
        end
        return call_list(words)
    end
end

-- A copy of `redis` for scripts that unpack.
function core.make_patient_redis()
    local copy = {}
    for name, value in next, redis do
        copy[name] = value
    end
    copy.call, copy.pcall = patient(core.call, core.call_list), patient(core.pcall, core.pcall_list)
    return copy
end
