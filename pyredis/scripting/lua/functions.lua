-- The interpreter of function libraries: loading them, and what differs from EVAL.
local core = ...
local raise, unwrap, protect, strict, globals = core.raise, core.unwrap, core.protect, core.strict, core.globals
local type, next, select, pcall, tostring = type, next, select, pcall, tostring
local find, lower, sethook, getmetatable = string.find, string.lower, debug.sethook, debug.getmetatable

local BAD_NAME = 'Library names can only contain letters, numbers, or underscores(_) and must be at least '
    .. 'one character long'

local FLAGS = {
    ['no-writes'] = core.flag_no_writes,
    ['allow-oom'] = core.flag_allow_oom,
    ['allow-stale'] = core.flag_allow_stale,
    ['no-cluster'] = core.flag_no_cluster,
    ['allow-cross-slot-keys'] = core.flag_allow_cross_slot,
}

-- The same global table shows other globals while a library loads.
local switch, library_globals

-- While a library loads: its functions in a flat list (name, description or false, flags, number),
-- and by name.  Nil otherwise.
local registered, names
local last_number = 0

local function is_text(value)
    return type(value) == 'string' or type(value) == 'number'
end

-- The flags of a list of names; nil if one is not a flag.
local function read_flags(list)
    local flags = 0
    local i = 1
    while list[i] ~= nil do
        local flag = is_text(list[i]) and FLAGS[lower(list[i])]
        if not flag then
            return nil
        end
        flags = flags % (2 * flag) >= flag and flags or flags + flag
        i = i + 1
    end
    return flags
end

local function read_named(arguments)
    if type(arguments) ~= 'table' then
        raise('calling redis.register_function with a single argument is only applicable to Lua table '
            .. '(representing named arguments).')
    end
    local name, description, callback, flags = nil, false, nil, 0
    for key, value in next, arguments do
        local word = is_text(key) and lower(key)
        if not word then
            raise('named argument key given to redis.register_function is not a string')
        elseif word == 'function_name' then
            name = is_text(value) and tostring(value)
                or raise('function_name argument given to redis.register_function must be a string')
        elseif word == 'description' then
            description = is_text(value) and tostring(value)
                or raise('description argument given to redis.register_function must be a string')
        elseif word == 'callback' then
            callback = type(value) == 'function' and value
                or raise('callback argument given to redis.register_function must be a function')
        elseif word == 'flags' then
            if type(value) ~= 'table' then
                raise('flags argument to redis.register_function must be a table representing function flags')
            end
            flags = read_flags(value) or raise('unknown flag given')
        else
            raise('unknown argument given to redis.register_function')
        end
    end
    if not name then
        raise('redis.register_function must get a function name argument')
    elseif not callback then
        raise('redis.register_function must get a callback argument')
    end
    return name, description, callback, flags
end

local function read_positional(name, callback)
    if not is_text(name) then
        raise('first argument to redis.register_function must be a string')
    elseif type(callback) ~= 'function' then
        raise('second argument to redis.register_function must be a function')
    end
    return tostring(name), false, callback, 0
end

local function register_function(...)
    if not registered then
        raise('redis.register_function can only be called on FUNCTION LOAD command')
    end
    local count = select('#', ...)
    local name, description, callback, flags
    if count == 1 then
        name, description, callback, flags = read_named((...))
    elseif count == 2 then
        name, description, callback, flags = read_positional(...)
    else
        raise('wrong number of arguments to redis.register_function')
    end
    if not find(name, '^[A-Za-z0-9_]+$') then
        raise(BAD_NAME)
    elseif names[name] then
        raise('Function already exists in the library')
    end
    last_number = last_number + 1
    names[name] = true
    core.scripts[last_number] = callback
    local n = #registered
    registered[n + 1], registered[n + 2], registered[n + 3], registered[n + 4] = name, description, flags, last_number
end

local function message(err)
    err = unwrap(err)
    if type(err) == 'table' then
        return is_text(err.err) and err.err or '(null)'
    end
    return 'ERR ' .. tostring(err)
end

-- Run the code of a library: nil and the flat list of its functions, or what is wrong with it.
function core.load_library(code)
    switch.__index = library_globals
    local compiled, problem = core.compile(code, '@' .. core.chunk)
    if not compiled then
        switch.__index = globals
        return 'Error compiling function: ' .. problem
    end
    registered, names = {}, {}
    core.run = core.run + 1
    local ok, err = pcall(compiled)
    switch.__index = globals
    local list = registered
    registered, names = nil, nil
    if ok then
        for i = 4, #list, 4 do
            core.choose_redis(list[i], code)
        end
        return nil, list
    end
    sethook(core.hook, '', core.interval)
    for i = 4, #list, 4 do
        core.scripts[list[i]] = nil
    end
    return 'Error registering functions: ' .. message(err)
end

core.bottom[core.load_library] = true

core.entry_template = [[
    local globals, scripts, xpcall, handle, finish, core, patient, redis = ...
    return function(number, %s...)
        globals.redis = patient[number] or redis
        local keys, args, f = { %s }, { ... }, scripts[number]
        core.run = core.run + 1
        return finish(xpcall(function() return f(keys, args) end, handle))
    end
]]

function core.install()
    core.install_libraries()
    local api = core.common_api()
    api.register_function = register_function
    library_globals = strict({ redis = protect(strict(api)) })
    switch = getmetatable(core.env)
end
