-- cjson.encode: the formats and the errors of the cjson 2.1.0 that Redis bundles.
local core = ...
local throw = core.throw
local type, next, tostring, floor = type, next, tostring, math.floor
local char, find, format, gsub = string.char, string.find, string.format, string.gsub
local concat, huge, rawget = table.concat, math.huge, rawget

local MOST = 2147483647

local null = core.null

local config -- of the cjson instance that is encoding

local escapes = { ['"'] = '\\"', ['\\'] = '\\\\', ['/'] = '\\/', ['\127'] = '\\u007f' }
for code = 0, 31 do
    escapes[char(code)] = format('\\u%04x', code)
end
escapes['\b'], escapes['\t'], escapes['\n'], escapes['\f'], escapes['\r'] = '\\b', '\\t', '\\n', '\\f', '\\r'
local ESCAPED = '[%z\1-\31"/\\\127]'

local out, encode_value

local function refuse(value, reason)
    throw('Cannot serialise ' .. type(value) .. ': ' .. reason)
end

local function quote(text)
    if find(text, ESCAPED) then
        return '"' .. gsub(text, ESCAPED, escapes) .. '"'
    end
    return '"' .. text .. '"'
end

local function number_text(number)
    if number ~= number or number == huge or number == -huge then
        if config.encode_invalid == 0 then
            refuse(number, 'must not be NaN or Inf')
        elseif config.encode_invalid == 2 then
            return 'null'
        elseif number ~= number then
            return 'nan'
        end
    end
    if config.precision == 14 then
        return tostring(number) -- Lua's own format is the same %.14g
    end
    return format('%.' .. config.precision .. 'g', number)
end

-- Largest index of a table with positive integer keys only, nil for any other table.
local function array_length(t)
    local most, items = 0, 0
    for key in next, t do
        if type(key) ~= 'number' or key < 1 or floor(key) ~= key then
            return nil
        end
        if key > most then
            most = key <= MOST and key or -MOST - 1 -- the C int it is kept in
        end
        items = items + 1
    end
    if config.sparse_ratio > 0 and most > items * config.sparse_ratio and most > config.sparse_safe then
        if config.sparse_convert == 0 then
            refuse(t, 'excessively sparse array')
        end
        return nil
    end
    return most
end

-- One function for both kinds of tables: the deepest nesting just fits into Lua's limit of calls.
local function encode_table(t, n, depth, slots)
    if depth > config.encode_max_depth or slots + 3 > 8000 then
        throw('Cannot serialise, excessive nesting (' .. depth .. ')')
    end
    local length = array_length(t)
    if length and length > 0 then
        out[n + 1] = '['
        n = encode_value(rawget(t, 1), n + 1, depth, slots + 1)
        for i = 2, length do
            out[n + 1] = ','
            n = encode_value(rawget(t, i), n + 1, depth, slots + 1)
        end
        out[n + 1] = ']'
        return n + 1
    end
    local opening = '{'
    for key, value in next, t do
        local kind = type(key)
        if kind == 'string' then
            out[n + 1] = opening .. quote(key) .. ':'
        elseif kind == 'number' then
            out[n + 1] = opening .. '"' .. number_text(key) .. '":'
        else
            refuse(key, 'table key must be a number or string')
        end
        n = encode_value(value, n + 1, depth, slots + 2)
        opening = ','
    end
    out[n + 1] = opening == '{' and '{}' or '}'
    return n + 1
end

function encode_value(value, n, depth, slots)
    local kind = type(value)
    if kind == 'string' then
        out[n + 1] = quote(value)
    elseif kind == 'number' then
        out[n + 1] = number_text(value)
    elseif kind == 'table' then
        return (encode_table(value, n, depth + 1, slots))
    elseif kind == 'boolean' then
        out[n + 1] = value and 'true' or 'false'
    elseif value == nil or value == null then
        out[n + 1] = 'null'
    else
        refuse(value, 'type not supported')
    end
    return n + 1
end

function core.json_encode(value, settings)
    config, out = settings, {}
    encode_value(value, 0, 0, 1)
    local pieces = out
    out = nil
    return concat(pieces)
end
