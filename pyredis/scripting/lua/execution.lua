-- Running scripts: the entry points for the host, and the hook that lets it interrupt them.
local core = ...
local type, error, next, select, loadstring, unpack = type, error, next, select, loadstring, unpack
local getinfo, getregistry, sethook, dump, setfenv = debug.getinfo, debug.getregistry, debug.sethook, string.dump, setfenv
local xpcall, find, format, concat = xpcall, string.find, string.format, table.concat
local handle, encode_reply, compile, globals = core.handle, core.encode_reply, core.compile, core.globals

local MANY_THREADS = 1000

-- Compiled scripts by SHA1, functions of libraries by number.
local scripts = {}

-- The `redis` of those that may pass very many arguments.
local patient = {}

-- Functions that stand between the host and a script: never interrupted.
local bottom = {}
core.bottom, core.run = bottom, 0

-- Called every *interval* instructions.  Once the host wants the script dead, on every line: pcall
-- catches the error only to run into the next one.
local function hook()
    local message = core.checkpoint()
    if message then
        if bottom[getinfo(2, 'f').func] then
            sethook(hook, '', core.interval)
            return
        end
        sethook(hook, 'l')
        error({ err = message }, 0)
    end
end
core.hook = hook
sethook(hook, '', core.interval)

-- Where the debug library keeps it: a table in the registry, by thread.
for key, hooks in next, getregistry() do
    if type(key) == 'userdata' and type(hooks) == 'table' then
        for thread, function_ in next, hooks do
            if function_ == hook then
                core.hooks_key, core.main_key = key, thread
            end
        end
    end
end

local function failure(err)
    sethook(hook, '', core.interval)
    if type(err) ~= 'table' then
        return false, nil, type(err) == 'string' and err or nil
    end
    local message, source, line = err.err, err.source, err.line
    local ignore = err.ignore_error_stats_update
    return false, ignore == true, message, source, line
end

-- One value for simple results; true and the encoded reply for tables; false and the error's parts.
local function finish(ok, value)
    if core.created > MANY_THREADS then
        core.forget_threads()
    end
    if not ok then
        return failure(value)
    end
    local kind = type(value)
    if kind == 'table' then
        return true, encode_reply(value)
    elseif kind == 'function' or kind == 'userdata' or kind == 'thread' then
        return nil
    end
    return value
end

bottom[finish], bottom[failure] = true, true

-- An entry point per number of keys spares taking a list apart.
core.entry_template = [[
    local globals, scripts, xpcall, handle, finish, core, patient, redis = ...
    return function(sha, %s...)
        globals.redis = patient[sha] or redis
        globals.KEYS = { %s }
        globals.ARGV = { ... }
        core.run = core.run + 1
        return finish(xpcall(scripts[sha], handle))
    end
]]

function core.make_entry(keys)
    local names = {}
    for i = 1, keys do
        names[i] = 'k' .. i
    end
    local list = concat(names, ', ')
    local text = format(core.entry_template, keys > 0 and list .. ', ' or '', list)
    local entry = loadstring(core.strip(dump(loadstring(text, '=[C]'))))(
        globals, scripts, xpcall, handle, finish, core, patient, core.public_redis)
    bottom[entry] = true
    return entry
end

-- The same with more words than fit on the stack: tables made by the host.
function core.run_with_tables(script, keys, args)
    if core.chunk == 'user_script' then
        globals.KEYS, globals.ARGV = keys, args
    end
    globals.redis = patient[script] or core.public_redis
    local f = scripts[script]
    core.run = core.run + 1
    return finish(xpcall(function()
        return f(keys, args)
    end, handle))
end

bottom[core.run_with_tables] = true

function core.add_script(sha, text)
    local compiled, problem = compile(text, '@' .. core.chunk)
    if compiled then
        scripts[sha] = compiled
        core.choose_redis(sha, text)
    end
    return problem
end

-- For the host, which rewrites some bytecode: nobody else gets any compiled.
function core.dump_script(sha)
    return dump(scripts[sha])
end

function core.replace_script(sha, bytecode)
    scripts[sha] = setfenv(loadstring(bytecode, '@' .. core.chunk), core.env)
end

-- Decide by the source which `redis` a script or function gets.
function core.choose_redis(script, text)
    if find(text, 'unpack', 1, true) then
        patient[script] = core.patient_redis
    end
end

function core.remove_scripts(...)
    for i = 1, select('#', ...) do
        local script = select(i, ...)
        scripts[script], patient[script] = nil, nil
    end
end

function core.clear_scripts()
    for key in next, scripts do
        scripts[key], patient[key] = nil, nil
    end
    globals.KEYS, globals.ARGV = nil, nil
end

core.scripts = scripts

-- A stock of what redis.call returns most often besides strings and numbers: cheaper made here than
-- one by one by the host.
function core.make_statuses()
    local statuses = {}
    for i = 1, 64 do
        statuses[i] = { ok = 'OK' }
    end
    return unpack(statuses)
end

function core.install_libraries()
    for _, name in next, { 'redis', 'cjson', 'cmsgpack', 'bit', 'struct' } do
        globals[name] = core.protect(core[name])
    end
    core.public_redis = globals.redis
    core.patient_redis = core.protect(core.make_patient_redis())
end

-- The globals of EVAL.
function core.install()
    function core.redis.breakpoint()
        return false
    end
    function core.redis.debug() end
    function core.redis.replicate_commands()
        return true
    end
    core.install_libraries()
end
