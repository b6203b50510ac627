-- Who is to blame for an error: the script's frame behind the library functions that are C in Redis
-- and Lua here.  Their chunks are all named "=[C]", as the source of C functions is.
local core = ...
local getinfo, error, type, match = debug.getinfo, error, type, string.match

-- Is this frame a Lua function of ours?
local function ours(info)
    return info.source == '=[C]' and info.what ~= 'C'
end

-- First frame that is not ours, from *level* of this function on; nil when there is none.
-- A tail call of a script into ours has overwritten the script's frame, and its line is gone: then the
-- frame before it has to do.
local function culprit(level)
    local info = getinfo(level, 'Sl')
    local lost = false
    while info and (ours(info) or info.what == 'tail') do
        lost = info.what == 'tail'
        level = level + 1
        info = getinfo(level, 'Sl')
    end
    if lost and info and info.what == 'C' then
        return { source = '@' .. core.chunk, short_src = core.chunk, currentline = 1, what = 'Lua' }
    end
    return info
end

-- "user_script:1: ", or nothing when a C function called us (luaL_where).
local function where()
    local info = culprit(2)
    if info and info.currentline > 0 then
        return info.short_src .. ':' .. info.currentline .. ': '
    end
    return ''
end

-- Raise a message with the position of the script's call (luaL_error).
local function throw(message)
    error(where() .. message, 0)
end

-- Raise "bad argument" for the library function the script called (luaL_argerror).
local function bad_argument(n, problem)
    local level, name, namewhat = 2, nil, nil
    local info = getinfo(level, 'Sn')
    while info and ours(info) do
        name, namewhat = info.name, info.namewhat
        level = level + 1
        info = getinfo(level, 'Sn')
    end
    if namewhat == 'method' then
        n = n - 1
        if n == 0 then
            error(where() .. "calling '" .. name .. "' on bad self (" .. problem .. ')', 0)
        end
    end
    error(where() .. 'bad argument #' .. n .. " to '" .. (name or '?') .. "' (" .. problem .. ')', 0)
end

-- Raise "bad argument ... expected, got ...": *count* arguments were given.
local function bad_type(n, expected, value, count)
    local got = (count and n > count) and 'no value' or type(value)
    bad_argument(n, expected .. ' expected, got ' .. got)
end

-- Raise the table form of an error, which has no position (luaPushError, luaError).
local function raise(message)
    error({ err = 'ERR ' .. message }, 0)
end

-- What a script caught, as it would be in Redis: exceptions of the host's functions become values, and
-- run-time errors of our functions lose the position that those of C functions do not have.
local function unwrap(value)
    if type(value) == 'string' then
        return match(value, '^%[C%]:0: (.*)') or value
    elseif type(value) == 'userdata' then
        local is_table, message, ignore = core.describe(value)
        if is_table then
            return { err = message, ignore_error_stats_update = ignore }
        elseif message then
            return message
        end
    end
    return value
end

-- The handler behind every script: makes a table of the error and adds source and line of the frame
-- that raised it, or of its caller if that is a C function.
local function handle(err)
    err = unwrap(err)
    local info = getinfo(2, 'Sl')
    if info and info.what == 'C' then
        info = culprit(4)
    elseif info and ours(info) then
        info = culprit(3)
    end
    if type(err) ~= 'table' then
        err = { err = 'ERR ' .. core.tostring(err) }
    end
    if info then
        err.source = info.source
        err.line = info.currentline
    end
    return err
end

core.throw, core.bad_argument, core.bad_type, core.raise = throw, bad_argument, bad_type, raise
core.unwrap, core.handle, core.ours = unwrap, handle, ours
core.anchor = 'debug' -- lupa looks this global up before every call: its string must stay interned
