-- Coroutines: each needs the count hook armed, for hooks of the debug library are not inherited.
local core = ...
local bad_argument, unwrap = core.bad_argument, core.unwrap
local type, next, select, tostring, setmetatable = type, next, select, tostring, setmetatable
local getinfo, sethook, match = debug.getinfo, debug.sethook, string.match
local create, resume, wrap, running = coroutine.create, coroutine.resume, coroutine.wrap, coroutine.running
local registry, collectgarbage = debug.getregistry(), collectgarbage

-- The run that last armed each living thread.
local armed = setmetatable({}, { __mode = 'k' })
core.created = 0

local function arm(thread)
    sethook(thread, core.hook, '', core.interval)
    armed[thread] = core.run
end

local function lua_function(f)
    if type(f) ~= 'function' or getinfo(f, 'S').what == 'C' then
        bad_argument(1, 'Lua function expected')
    end
end

local function resumed(ok, ...)
    if ok then
        return true, ...
    end
    return false, unwrap((...))
end

core.coroutine = {}

function core.coroutine.create(f)
    lua_function(f)
    local thread = create(f)
    core.created = core.created + 1
    arm(thread)
    return thread
end

function core.coroutine.resume(...)
    local thread = ...
    if type(thread) ~= 'thread' then
        bad_argument(1, 'coroutine expected')
    elseif armed[thread] ~= core.run then
        arm(thread)
    end
    return resumed(resume(...))
end

function core.coroutine.wrap(f)
    lua_function(f)
    core.created = core.created + 1
    return wrap(function(...)
        arm((running()))
        return f(...)
    end)
end

-- The debug library remembers the hook of every thread for ever, by its address.  After many threads,
-- give it a table with those that live.
function core.forget_threads()
    core.created = 0
    collectgarbage()
    local living = {}
    for thread in next, armed do
        living[match(tostring(thread), '0x%x+') or ''] = true
    end
    local old, fresh = registry[core.hooks_key], {}
    for thread, hook in next, old do
        if thread == core.main_key or living[match(tostring(thread), '0x%x+') or ''] then
            fresh[thread] = hook
        end
    end
    registry[core.hooks_key] = fresh
end
