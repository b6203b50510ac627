-- cjson.decode: the grammar and the errors of the cjson 2.1.0 that Redis bundles.
--
-- There is a parser per first byte of a token: (position, depth, slots) -> value, next position.
local core = ...
local throw = core.throw
local next, tonumber, floor = next, tonumber, math.floor
local byte, char, find, match, sub, concat = string.byte, string.char, string.find, string.match, string.sub, table.concat

local config -- of the cjson instance that is decoding
local text, plain -- the document; whether it is free of backslashes and NULs
local parsers = {}

local QUOTE, BACKSLASH, COMMA, COLON, OBJECT_END, ARRAY_END = 34, 92, 44, 58, 125, 93
local SPACE = { [32] = true, [9] = true, [10] = true, [13] = true }
local PUNCTUATION = {
    [123] = 'T_OBJ_BEGIN', [OBJECT_END] = 'T_OBJ_END', [91] = 'T_ARR_BEGIN', [ARRAY_END] = 'T_ARR_END',
    [COMMA] = 'T_COMMA', [COLON] = 'T_COLON', [0] = 'T_END',
}
local WORDS = { ['true'] = 'T_BOOLEAN', ['false'] = 'T_BOOLEAN', ['null'] = 'T_NULL' }
local ESCAPES = {
    [34] = '"', [92] = '\\', [47] = '/', [98] = '\b', [116] = '\t', [110] = '\n', [102] = '\f', [114] = '\r',
}

-- Position and byte of the next token.
local function skip(at)
    local first = byte(text, at)
    if SPACE[first] then
        at = find(text, '[^ \t\r\n]', at) or #text + 1
        first = byte(text, at)
    end
    return at, first
end

local function utf8(code)
    if code <= 0x7F then
        return char(code)
    elseif code <= 0x7FF then
        return char(0xC0 + floor(code / 64), 0x80 + code % 64)
    elseif code <= 0xFFFF then
        return char(0xE0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
    end
    return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64, 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

-- The character of \uXXXX, or of a pair of surrogates, and the position behind it; nil if it is none.
local function unicode_escape(at)
    local code = tonumber(match(text, '^%x%x%x%x', at + 2) or 'none', 16)
    if not code then
        return nil
    elseif code < 0xD800 or code > 0xDFFF then
        return utf8(code), at + 6
    end
    local low = tonumber(match(text, '^\\u(%x%x%x%x)', at + 6) or 'none', 16)
    if code >= 0xDC00 or not low or low < 0xDC00 or low > 0xDFFF then
        return nil
    end
    return utf8((code - 0xD800) * 1024 + low - 0xDC00 + 0x10000), at + 12
end

-- The string whose opening quote is at *at* and the position behind it; nil, problem, its position.
local function scan_string(at)
    local from = at + 1
    if plain then
        local closing = find(text, '"', from, true)
        if closing then
            return sub(text, from, closing - 1), closing + 1
        end
        return nil, 'unexpected end of string', #text + 1
    end
    local pieces, n = {}, 0
    while true do
        local stop = find(text, '["\\%z]', from) or #text + 1
        local reason = byte(text, stop)
        pieces[n + 1] = sub(text, from, stop - 1)
        n = n + 1
        if reason == QUOTE then
            return concat(pieces), stop + 1
        elseif reason ~= BACKSLASH then
            return nil, 'unexpected end of string', stop
        end
        local escape = byte(text, stop + 1)
        local decoded, behind = ESCAPES[escape], stop + 2
        if escape == 117 then
            decoded, behind = unicode_escape(stop)
            if not decoded then
                return nil, 'invalid unicode escape code', stop
            end
        elseif not decoded then
            return nil, 'invalid escape code', stop
        end
        pieces[n + 1], from = decoded, behind
        n = n + 1
    end
end

-- Last position of what C's strtod would take for a number at *at*, nil if nothing.
local function number_end(at)
    local from = match(text, '^[+-]?()', at)
    local _, last = find(text, '^0[xX]%x*%.?%x*', from)
    if last and find(text, '^0[xX]%.?%x', from) then
        return match(text, '^[pP][+-]?%d+()', last + 1) or last + 1
    end
    _, last = find(text, '^%d+%.?%d*', from)
    if not last then
        _, last = find(text, '^%.%d+', from)
    end
    if last then
        return match(text, '^[eE][+-]?%d+()', last + 1) or last + 1
    end
    return match(text, '^[iI][nN][fF][iI][nN][iI][tT][yY]()', from) or match(text, '^[iI][nN][fF]()', from)
        or match(text, '^[nN][aA][nN]%([%w_]*%)()', from) or match(text, '^[nN][aA][nN]()', from)
end

-- Does it look like a number that JSON does not have: +1, 0x1, 01, inf, nan?
local function irregular(at)
    if byte(text, at) == 43 then
        return true
    end
    at = match(text, '^-?()', at)
    return find(text, '^0[xX%d]', at) or find(text, '^[iI][nN][fF]', at) or find(text, '^[nN][aA][nN]', at)
end

local function scan_number(at)
    local behind = match(text, '^-?[1-9]%d*()[,%]}]', at)
    if not behind then
        behind = (config.decode_invalid == 1 or not irregular(at)) and number_end(at)
        if not behind then
            return nil, 'invalid number', at
        end
    end
    return tonumber(sub(text, at, behind - 1)), behind
end

-- Name of the token at *at* and where to say it is (json_next_token).
local function token_name(at, first)
    local name = PUNCTUATION[first or 0]
    if name then
        return name, at
    end
    local scanned, problem, there
    if first == QUOTE then
        scanned, problem, there = scan_string(at)
        return scanned and 'T_STRING' or problem, scanned and at or there
    elseif first == 45 or first >= 48 and first <= 57 then
        scanned, problem, there = scan_number(at)
        return scanned and 'T_NUMBER' or problem, scanned and at or there
    end
    name = WORDS[match(text, '^true', at) or match(text, '^false', at) or match(text, '^null', at)]
    if not name and config.decode_invalid == 1 and find(text, '^[+iInN]', at) and irregular(at) then
        name = number_end(at) and 'T_NUMBER' or 'invalid number'
    end
    return name or 'invalid token', at
end

local function expected(what, at, first)
    local name, there = token_name(at, first)
    throw('Expected ' .. what .. ' but found ' .. name .. ' at character ' .. there)
end

local function descend(at, depth, slots)
    if depth > config.decode_max_depth or slots > 8000 then
        throw('Found too many nested data structures (' .. depth .. ') at character ' .. at)
    end
end

local function parse_object(at, depth, slots)
    depth = depth + 1
    descend(at, depth, slots + 3)
    local object, key, first = {}, nil, nil
    at, first = skip(at + 1)
    if first == OBJECT_END then
        return object, at + 1
    end
    while true do
        local start = at
        if first == QUOTE then
            key, at = scan_string(at)
        end
        if first ~= QUOTE or not key then
            expected('object key string', start, first)
        end
        at, first = skip(at)
        if first ~= COLON then
            expected('colon', at, first)
        end
        at, first = skip(at + 1)
        local parse = parsers[first]
        if not parse then
            expected('value', at, first)
        end
        object[key], at = parse(at, depth, slots + 2)
        at, first = skip(at)
        if first == OBJECT_END then
            return object, at + 1
        elseif first ~= COMMA then
            expected('comma or object end', at, first)
        end
        at, first = skip(at + 1)
    end
end

local function parse_array(at, depth, slots)
    depth = depth + 1
    descend(at, depth, slots + 2)
    local array, length, first = {}, 0, nil
    at, first = skip(at + 1)
    if first == ARRAY_END then
        return array, at + 1
    end
    while true do
        local parse = parsers[first]
        if not parse then
            expected('value', at, first)
        end
        length = length + 1
        array[length], at = parse(at, depth, slots + 1)
        at, first = skip(at)
        if first == ARRAY_END then
            return array, at + 1
        elseif first ~= COMMA then
            expected('comma or array end', at, first)
        end
        at, first = skip(at + 1)
    end
end

local function parse_string(at)
    local scanned, behind = scan_string(at)
    if not scanned then
        expected('value', at, QUOTE)
    end
    return scanned, behind
end

local function parse_number(at)
    local scanned, behind = scan_number(at)
    if not scanned then
        expected('value', at, byte(text, at))
    end
    return scanned, behind
end

-- Words, and numbers that begin with none of JSON's first characters.
local function word_parser(word, value)
    return function(at)
        if word and sub(text, at, at + #word - 1) == word then
            return value, at + #word
        elseif config.decode_invalid == 1 and irregular(at) then
            local behind = number_end(at)
            if behind then
                return tonumber(sub(text, at, behind - 1)), behind
            end
        end
        expected('value', at, byte(text, at))
    end
end

parsers[123], parsers[91], parsers[QUOTE] = parse_object, parse_array, parse_string
parsers[45] = parse_number
for digit = 48, 57 do
    parsers[digit] = parse_number
end
parsers[116], parsers[102], parsers[110] = word_parser('true', true), word_parser('false', false), word_parser('null', core.null)
for _, first in next, { 43, 73, 78, 105 } do -- + I N i
    parsers[first] = word_parser(nil, nil)
end

function core.json_decode(document, settings)
    if #document >= 2 and (byte(document, 1) == 0 or byte(document, 2) == 0) then
        throw('JSON parser does not support UTF-16 or UTF-32')
    end
    config, text, plain = settings, document, not find(document, '[\\%z]')
    local at, first = skip(1)
    local parse = parsers[first]
    if not parse then
        expected('value', at, first)
    end
    local value
    value, at = parse(at, 0, 1)
    at, first = skip(at)
    if first and first ~= 0 then
        expected('the end', at, first)
    end
    text = nil
    return value
end
