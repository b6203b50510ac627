-- A script's return value as the bytes of a RESP reply (luaReplyToRedisReply).
local core = ...
local type, next, rawget, format, concat, gsub, match = type, next, rawget, string.format, table.concat, string.gsub, string.match

-- Redis converts on the Lua stack, whose size bounds the nesting.
local MOST_SLOTS, ROOT_SLOT = 7996, 2

-- The forms of the wire that depend on the client's protocol and on the script's.
local truth, falsehood, null, map_header, set_header = ':1\r\n', '$-1\r\n', '$-1\r\n', nil, nil

-- "$5\r\n" by length.
local bulk_header = setmetatable({}, {
    __index = function(headers, length)
        local header = format('$%d\r\n', length)
        if length < 1024 then
            headers[length] = header
        end
        return header
    end,
})

local out, encode

local function one_line(text)
    return (gsub(text, '[\r\n]', ' '))
end

local function encode_error(value, n)
    local message = value.err
    if type(message) == 'number' then
        message = core.tostring(message)
    end
    message = match(message, '^%Z*')
    local line = '-' .. one_line(gsub(message, '[\r\n]+$', '')) .. '\r\n'
    if value.ignore_error_stats_update ~= true then
        core.count_error(line)
    end
    out[n + 1] = line
    return n + 1
end

local function encode_map(map, n, slot)
    local at, count = n + 1, 0
    n = at
    for key, value in next, map do
        n = encode(key, n, slot + 4)
        n = encode(value, n, slot + 3)
        count = count + 1
    end
    out[at] = map_header and format(map_header, count) or format('*%d\r\n', 2 * count)
    return n
end

local function encode_set(set, n, slot)
    local at, count = n + 1, 0
    n = at
    for member in next, set do
        n = encode(member, n, slot + 3)
        count = count + 1
    end
    out[at] = format(set_header or '*%d\r\n', count)
    return n
end

local function encode_verbatim(verbatim, n)
    local extension, text = rawget(verbatim, 'format'), rawget(verbatim, 'string')
    if type(extension) ~= 'string' or type(text) ~= 'string' then
        return nil
    end
    out[n + 1] = core.verbatim(text, extension)
    return n + 1
end

local function encode_array(array, n, slot)
    local at, count = n + 1, 0
    n = at
    local value = rawget(array, 1)
    while value ~= nil do
        count = count + 1
        n = encode(value, n, slot + 1)
        value = rawget(array, count + 1)
    end
    out[at] = format('*%d\r\n', count)
    return n
end

-- A table is what its first matching field says it is: error, status, double, ... or else an array.
local function encode_table(t, n, slot)
    local value = rawget(t, 'err')
    if type(value) == 'string' then
        return encode_error(t, n)
    end
    value = rawget(t, 'ok')
    if type(value) == 'string' then
        out[n + 1] = '+' .. one_line(match(value, '^%Z*')) .. '\r\n'
        return n + 1
    end
    value = rawget(t, 'double')
    if type(value) == 'number' then
        out[n + 1] = core.double(value)
        return n + 1
    end
    value = rawget(t, 'big_number')
    if type(value) == 'string' then
        out[n + 1] = core.bignum(one_line(value))
        return n + 1
    end
    value = rawget(t, 'verbatim_string')
    local written = type(value) == 'table' and encode_verbatim(value, n)
    if written then
        return written
    end
    value = rawget(t, 'map')
    if type(value) == 'table' then
        return encode_map(value, n, slot)
    end
    value = rawget(t, 'set')
    if type(value) == 'table' then
        return encode_set(value, n, slot)
    end
    return encode_array(t, n, slot)
end

-- Append *value* to the pieces, of which there are *n*; returns their new number.
function encode(value, n, slot)
    if slot > MOST_SLOTS then
        core.count_error('-ERR reached lua stack limit\r\n')
        out[n + 1] = '-ERR reached lua stack limit\r\n'
        return n + 1
    end
    local kind = type(value)
    if kind == 'string' then
        out[n + 1] = bulk_header[#value]
        out[n + 2] = value
        out[n + 3] = '\r\n'
        return n + 3
    elseif kind == 'table' then
        return encode_table(value, n, slot)
    elseif kind == 'number' then
        out[n + 1] = format(':%d\r\n', value)
    elseif kind == 'boolean' then
        out[n + 1] = value and truth or falsehood
    else
        out[n + 1] = null
    end
    return n + 1
end

function core.encode_reply(value)
    out = {}
    encode(value, 0, ROOT_SLOT)
    local reply = concat(out)
    out = nil
    return reply
end

local client, script = 2, 2

local function choose_forms()
    null = client == 3 and '_\r\n' or '$-1\r\n'
    map_header = client == 3 and '%%%d\r\n' or nil
    set_header = client == 3 and '~%d\r\n' or nil
    if script == 2 then
        truth, falsehood = ':1\r\n', null
    elseif client == 3 then
        truth, falsehood = '#t\r\n', '#f\r\n'
    else
        truth, falsehood = ':1\r\n', ':0\r\n'
    end
end

-- The protocol, 2 or 3, of the client that gets the reply.
function core.set_client_resp(version)
    client = version
    choose_forms()
end

-- The protocol that the script asked for with redis.setresp.
function core.set_script_resp(version)
    script = version
    choose_forms()
end
