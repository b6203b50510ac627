-- What scripts see: Redis's allow list of globals, all of it read-only, and replacements for those
-- functions of the base library that would lead out of it.
--
-- Redis's Lua has a read-only flag on tables.  Here a protected table is an empty proxy in front of the
-- real one, and every function that could write to it past the metatable is replaced.
local core = ...
local throw, bad_argument, bad_type, unwrap, ours = core.throw, core.bad_argument, core.bad_type, core.unwrap, core.ours
local type, error, next, select, tostring, tonumber, setmetatable = type, error, next, select, tostring, tonumber, setmetatable
local getinfo, byte, match = debug.getinfo, string.byte, string.match
local raw_pcall, raw_xpcall, raw_rawset, raw_rawget, raw_getmetatable = pcall, xpcall, rawset, rawget, getmetatable
local raw_getfenv, raw_setfenv, raw_loadstring, raw_load, raw_newproxy = getfenv, setfenv, loadstring, load, newproxy
local raw_collectgarbage, raw_insert, raw_dump = collectgarbage, table.insert, string.dump

local READONLY = 'Attempt to modify a readonly table'

-- Real table behind each proxy.
local behind = setmetatable({}, { __mode = 'k' })

local function refuse()
    error(READONLY, 2)
end

local function protect(t, metatable)
    local proxy = {}
    behind[proxy] = t
    return setmetatable(proxy, { __index = t, __newindex = refuse, __metatable = metatable or false })
end

-- Reading a name that is not there raises, in globals and in the tables of a library's load run.
local function missing(t, name)
    if type(name) ~= 'string' and type(name) ~= 'number' then
        error('Second argument to luaProtectedTableError must be a string or number', 2)
    end
    error("Script attempted to access nonexistent global variable '" .. match(name, '^%Z*') .. "'", 2)
end

local function strict(t)
    return setmetatable(t, { __index = missing })
end

local base, env = {}, nil

-- Tables

function base.next(...)
    local t, key = ...
    if type(t) ~= 'table' then
        bad_type(1, 'table', t, select('#', ...))
    end
    return next(behind[t] or t, key)
end

function base.pairs(...)
    local t = ...
    if type(t) ~= 'table' then
        bad_type(1, 'table', t, select('#', ...))
    end
    return behind[t] and base.next or next, t, nil -- never hand out what is behind a proxy
end

function base.rawget(...)
    local t, key = ...
    local count = select('#', ...)
    if type(t) ~= 'table' then
        bad_type(1, 'table', t, count)
    elseif count < 2 then
        bad_argument(2, 'value expected')
    end
    return raw_rawget(behind[t] or t, key)
end

function base.rawset(...)
    local t, key, value = ...
    local count = select('#', ...)
    if type(t) ~= 'table' then
        bad_type(1, 'table', t, count)
    elseif count < 3 then
        bad_argument(count + 1, 'value expected')
    elseif behind[t] then
        error(READONLY, 0)
    end
    return raw_rawset(t, key, value)
end

function base.setmetatable(...)
    local t, metatable = ...
    if type(t) ~= 'table' then
        bad_type(1, 'table', t, select('#', ...))
    elseif type(metatable) ~= 'table' and (metatable ~= nil or select('#', ...) < 2) then
        bad_argument(2, 'nil or table expected')
    elseif behind[t] then
        error(READONLY, 0)
    end
    local present = raw_getmetatable(t)
    if present ~= nil and (type(present) ~= 'table' or raw_rawget(present, '__metatable') ~= nil) then
        throw('cannot change a protected metatable')
    end
    return setmetatable(t, metatable)
end

local function insert(t, ...)
    if type(t) == 'table' and not behind[t] then
        local count = select('#', ...)
        if count == 1 or count == 2 and tonumber((...)) then
            return raw_insert(t, ...)
        elseif count == 2 then
            bad_type(2, 'number', (...))
        end
        throw("wrong number of arguments to 'insert'")
    elseif behind[t] then
        error(READONLY, 0)
    end
    bad_type(1, 'table', t)
end

-- Environments

-- The function at *level* as the script counts, 1 being who called into the library; nil if there is
-- none.  The C function that runs the script is not one of them.
local function function_at(level)
    local depth = 2
    while true do
        local info = getinfo(depth, 'Sf')
        local below = getinfo(depth + 1, 'f')
        if not below or core.bottom[below.func] then
            return nil
        end
        if not ours(info) then
            level = level - 1
            if level == 0 then
                if info.what == 'tail' then
                    throw('no function environment for tail call at level ' .. depth)
                end
                return info.func
            end
        end
        depth = depth + 1
    end
end

local function environment_argument(f, count)
    if type(f) == 'function' then
        return f
    end
    local level = tonumber(f)
    if f == nil and count == 0 then
        level = 1
    elseif not level then
        bad_type(1, 'number', f)
    end
    if level < 0 then
        bad_argument(1, 'level must be non-negative')
    elseif level < 1 then
        return nil
    end
    local found = function_at(level - level % 1)
    if not found then
        bad_argument(1, 'invalid level')
    end
    return found
end

function base.getfenv(f)
    if f == nil then
        f = 1
    end
    local found = environment_argument(f, 1)
    if not found or getinfo(found, 'S').source == '=[C]' then
        return env
    end
    return raw_getfenv(found)
end

function base.setfenv(...)
    local f, t = ...
    if type(t) ~= 'table' then
        bad_type(2, 'table', t, select('#', ...))
    end
    local found = environment_argument(f, select('#', ...))
    if not found or getinfo(found, 'S').source == '=[C]' then
        throw("'setfenv' cannot change environment of given object")
    end
    return raw_setfenv(found, t)
end

-- Compiling: text only.  What begins like bytecode gets the syntax error its first byte deserves.
local function harmless(text)
    return byte(text) == 27 and ' ' .. text or text
end

local function compile(text, name)
    local compiled, problem = raw_loadstring(harmless(text), name)
    if compiled then
        return raw_setfenv(compiled, env)
    end
    return nil, problem
end

function base.loadstring(...)
    local text, name = ...
    if type(text) == 'number' then
        text = tostring(text)
    elseif type(text) ~= 'string' then
        bad_type(1, 'string', text, select('#', ...))
    end
    if name ~= nil and type(name) ~= 'string' and type(name) ~= 'number' then
        bad_type(2, 'string', name)
    end
    return compile(text, name or text)
end

function base.load(...)
    local reader, name = ...
    if type(reader) ~= 'function' then
        bad_type(1, 'function', reader, select('#', ...))
    end
    local started = false
    local compiled, problem = raw_load(function()
        local piece = reader()
        if not started and type(piece) == 'string' and piece ~= '' then
            started = true
            return harmless(piece)
        end
        return piece
    end, name and tostring(name) or '=(load)')
    if compiled then
        return raw_setfenv(compiled, env)
    end
    return nil, unwrap(problem)
end

-- Errors

-- As Redis's own pcall: of an error table only the text comes back (luaRedisPcall).
local function settle(ok, ...)
    if ok then
        return true, ...
    end
    local err = unwrap((...))
    if type(err) ~= 'table' then
        return false, err
    end
    local message = err.err
    if type(message) == 'string' or type(message) == 'number' then
        return false, message
    end
    return false, err, message
end

function base.pcall(...)
    if select('#', ...) == 0 then
        return false, 'attempt to call a boolean value' -- its own placeholder (luaRedisPcall)
    end
    return settle(raw_pcall(...))
end

function base.xpcall(...)
    local f, handler = ...
    if select('#', ...) < 2 then
        bad_argument(2, 'value expected')
    end
    return raw_xpcall(f, function(err)
        return handler(unwrap(err))
    end)
end

local function dump(...)
    local f = ...
    if type(f) ~= 'function' then
        bad_type(1, 'function', f, select('#', ...))
    elseif getinfo(f, 'S').source == '=[C]' then
        throw('unable to dump given function')
    end
    return raw_dump(f)
end

-- The collector belongs to the server: it can be asked and run, not stopped or tuned.

local settings = { setpause = 200, setstepmul = 200, stop = 0, restart = 0 }

function base.collectgarbage(option, argument)
    option = option or 'collect'
    if type(option) ~= 'string' then
        bad_type(1, 'string', option)
    elseif settings[option] then
        return settings[option]
    elseif option ~= 'collect' and option ~= 'count' and option ~= 'step' then
        bad_argument(1, "invalid option '" .. option .. "'")
    end
    return raw_collectgarbage(option, argument)
end

-- Userdata of scripts must not have finalizers: they would run wherever memory is allocated.
function base.newproxy(...)
    local model = ...
    if model == nil or model == false then
        return raw_newproxy(false)
    elseif model ~= true then
        local ok, proxy = raw_pcall(raw_newproxy, model)
        if not ok then
            bad_argument(1, 'boolean or proxy expected')
        end
        return proxy
    end
    local proxy = raw_newproxy(true)
    local metatable = raw_getmetatable(proxy)
    metatable.__metatable = setmetatable({}, {
        __index = metatable,
        __newindex = function(_, key, value)
            if key ~= '__gc' then
                raw_rawset(metatable, key, value)
            end
        end,
    })
    return proxy
end

-- Assembly

for name in string.gmatch(
    'tostring assert tonumber rawequal getmetatable type select unpack ipairs _VERSION error gcinfo', '%S+') do
    base[name] = _G[name]
end

local function library(source, replaced)
    local copy = {}
    for name, value in next, source do
        copy[name] = replaced[name] or value
    end
    return protect(copy)
end

base.string = library(string, { dump = dump })
base.table = library(table, { insert = insert })
base.math = library(math, { random = core.random, randomseed = core.randomseed })
base.coroutine = library(coroutine, core.coroutine)
raw_getmetatable('').__metatable = protect({ __index = base.string })

core.globals = strict(base)
env = protect(base, protect({ __index = missing }))
base._G = env
base.__redis__err__handler = core.handle
core.env, core.protect, core.strict, core.compile = env, protect, strict, compile
