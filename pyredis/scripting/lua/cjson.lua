-- The table `cjson`: instances of the codec, each with its settings.
local core = ...
local bad_argument, bad_type = core.bad_argument, core.bad_type
local type, select, tonumber, tostring, floor = type, select, tonumber, tostring, math.floor
local json_encode, json_decode = core.json_encode, core.json_decode

local MOST = 2147483647
local SWITCH = { [0] = 'off', 'on' }
local SWITCH_OR_NULL = { [0] = 'off', 'on', 'null' }

local function restore_defaults(config)
    config.sparse_convert, config.sparse_ratio, config.sparse_safe = 0, 2, 10
    config.encode_max_depth, config.decode_max_depth = 1000, 1000
    config.encode_invalid, config.decode_invalid = 0, 1
    config.precision, config.keep_buffer = 14, 1
    return config
end

local function at_most(most, ...)
    if select('#', ...) > most then
        bad_argument(most + 1, 'found too many arguments')
    end
    return ...
end

-- Set an integer from argument *at*, if there is one; returns its value (json_integer_option).
local function integer_option(config, name, at, value, least, most)
    if value ~= nil then
        local number = tonumber(value)
        if not number then
            bad_type(at, 'number', value)
        end
        number = number < 0 and -floor(-number) or floor(number)
        if number < least or number > most then
            bad_argument(1, 'expected integer between ' .. least .. ' and ' .. most)
        end
        config[name] = number
    end
    return config[name]
end

-- The same for a choice between words, of which the first two may be booleans (json_enum_option).
local function choice_option(config, name, value, words)
    if type(value) == 'boolean' then
        config[name] = value and 1 or 0
    elseif value ~= nil then
        if type(value) ~= 'string' and type(value) ~= 'number' then
            bad_type(1, 'string', value)
        end
        local found
        for index = 0, #words do
            found = words[index] == value and index or found
        end
        if not found then
            bad_argument(1, "invalid option '" .. value .. "'")
        end
        config[name] = found
    end
    local setting = config[name]
    return setting < 2 and setting == 1 or setting >= 2 and words[setting]
end

local function new(config)
    local cjson = { null = core.null, _NAME = 'cjson', _VERSION = '2.1.0' }

    function cjson.encode(...)
        if select('#', ...) ~= 1 then
            bad_argument(1, 'expected 1 argument')
        end
        return (json_encode((...), config))
    end

    function cjson.decode(...)
        local document = ...
        if select('#', ...) ~= 1 then
            bad_argument(1, 'expected 1 argument')
        elseif type(document) ~= 'string' and type(document) ~= 'number' then
            bad_type(1, 'string', document)
        end
        return (json_decode(tostring(document), config))
    end

    function cjson.encode_sparse_array(...)
        local convert, ratio, safe = at_most(3, ...)
        return choice_option(config, 'sparse_convert', convert, SWITCH),
            integer_option(config, 'sparse_ratio', 2, ratio, 0, MOST),
            integer_option(config, 'sparse_safe', 3, safe, 0, MOST)
    end

    function cjson.encode_max_depth(...)
        local depth = at_most(1, ...)
        return (integer_option(config, 'encode_max_depth', 1, depth, 1, MOST))
    end

    function cjson.decode_max_depth(...)
        local depth = at_most(1, ...)
        return (integer_option(config, 'decode_max_depth', 1, depth, 1, MOST))
    end

    function cjson.encode_number_precision(...)
        local precision = at_most(1, ...)
        return (integer_option(config, 'precision', 1, precision, 1, 14))
    end

    function cjson.encode_keep_buffer(...)
        local keep = at_most(1, ...)
        return (choice_option(config, 'keep_buffer', keep, SWITCH))
    end

    function cjson.encode_invalid_numbers(...)
        local setting = at_most(1, ...)
        return (choice_option(config, 'encode_invalid', setting, SWITCH_OR_NULL))
    end

    function cjson.decode_invalid_numbers(...)
        local setting = at_most(1, ...)
        return (choice_option(config, 'decode_invalid', setting, SWITCH))
    end

    function cjson.new()
        return new(restore_defaults({}))
    end

    return cjson
end

local config = restore_defaults({})
core.cjson = new(config)

-- SCRIPT FLUSH: Redis makes a new interpreter, with the settings of a new one.
function core.reset_cjson()
    restore_defaults(config)
end
