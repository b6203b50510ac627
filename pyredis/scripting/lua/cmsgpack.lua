-- The table `cmsgpack`: lua-cmsgpack 0.4.0 as Redis bundles it.
local core = ...
local throw, bad_argument, bad_type = core.throw, core.bad_argument, core.bad_type
local type, next, select, tonumber, tostring, floor = type, next, select, tonumber, tostring, math.floor
local byte, char, sub, concat, unpack, rawget = string.byte, string.char, string.sub, table.concat, unpack, rawget

local MOST_NESTING = 16
local MOST_INT, LEAST_INT64, MOST_INT64 = 2147483647, -2 ^ 63, 2 ^ 63

-- Packing

local out, pack_value

local function big_endian(first, number, bytes)
    if bytes == 1 then
        return char(first, number % 256)
    elseif bytes == 2 then
        return char(first, floor(number / 256) % 256, number % 256)
    end
    return char(first, floor(number / 16777216) % 256, floor(number / 65536) % 256, floor(number / 256) % 256, number % 256)
end

-- The two halves of a 64-bit integer, negative ones as two's complement.
local function wide(first, number)
    local high = floor(number / 4294967296)
    return big_endian(first, high, 4) .. sub(big_endian(0, number - high * 4294967296, 4), 2)
end

local function integer(number)
    if number >= 0 then
        return number <= 127 and char(number)
            or number <= 0xff and big_endian(0xcc, number, 1)
            or number <= 0xffff and big_endian(0xcd, number, 2)
            or number <= 0xffffffff and big_endian(0xce, number, 4)
            or wide(0xcf, number)
    end
    return number >= -32 and char(256 + number)
        or number >= -128 and big_endian(0xd0, number, 1)
        or number >= -32768 and big_endian(0xd1, number, 2)
        or number >= -2147483648 and big_endian(0xd2, number, 4)
        or wide(0xd3, number)
end

local function text(value)
    local length = #value
    return (length < 32 and char(0xa0 + length)
        or length <= 0xff and big_endian(0xd9, length, 1)
        or length <= 0xffff and big_endian(0xda, length, 2)
        or big_endian(0xdb, length, 4)) .. value
end

local function header(fixed, first, length)
    return length <= 15 and char(fixed + length)
        or length <= 0xffff and big_endian(first, length, 2)
        or big_endian(first + 1, length, 4)
end

-- Number of keys, and whether they are exactly 1 to that number.
local function shape(t)
    local most, count, list = 0, 0, true
    for key in next, t do
        if list then
            if type(key) ~= 'number' or key <= 0 or key > MOST_INT or floor(key) ~= key then
                list = false
            elseif key > most then
                most = key
            end
        end
        count = count + 1
    end
    return count, list and most == count
end

local function pack_table(t, n, level)
    local count, list = shape(t)
    if list then
        n = n + 1
        out[n] = header(0x90, 0xdc, count)
        for i = 1, count do
            n = pack_value(rawget(t, i), n, level + 1)
        end
        return n
    end
    n = n + 1
    out[n] = header(0x80, 0xde, count)
    for key, value in next, t do
        n = pack_value(key, n, level + 1)
        n = pack_value(value, n, level + 1)
    end
    return n
end

function pack_value(value, n, level)
    local kind = type(value)
    if kind == 'string' then
        out[n + 1] = text(value)
    elseif kind == 'number' then
        if floor(value) == value and value >= LEAST_INT64 and value < MOST_INT64 then
            out[n + 1] = integer(value)
        else
            out[n + 1] = core.pack_double(value)
        end
    elseif kind == 'table' and level ~= MOST_NESTING then
        return (pack_table(value, n, level))
    elseif kind == 'boolean' then
        out[n + 1] = value and '\195' or '\194'
    else
        out[n + 1] = '\192'
    end
    return n + 1
end

local function pack(...)
    local count = select('#', ...)
    if count == 0 then
        bad_argument(0, 'MessagePack pack needs input.')
    end
    out = {}
    local pieces, n = out, 0
    for i = 1, count do
        n = pack_value((select(i, ...)), n, 0)
    end
    out = nil
    return concat(pieces)
end

-- Unpacking.  A reader per first byte: (position, slots) -> value, next position.

local data, size
local readers = {}

local function need(at, bytes)
    if at + bytes - 1 > size then
        throw('Missing bytes in input.')
    end
end

local function read(at, slots)
    need(at, 1)
    local reader = readers[byte(data, at)]
    if not reader then
        throw('Bad data format in input.')
    elseif slots >= 8000 then
        throw('stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)')
    end
    return reader(at, slots)
end

local function unsigned(bytes)
    return function(at)
        need(at, bytes + 1)
        local a, b, c, d = byte(data, at + 1, at + bytes)
        if bytes == 1 then
            return a, at + 2
        elseif bytes == 2 then
            return a * 256 + b, at + 3
        end
        return ((a * 256 + b) * 256 + c) * 256 + d, at + 5
    end
end

local function signed(bytes)
    local reader, half, whole = unsigned(bytes), 2 ^ (8 * bytes - 1), 2 ^ (8 * bytes)
    return function(at)
        local value, behind = reader(at)
        return value < half and value or value - whole, behind
    end
end

-- Unsigned ones, too, pass through a signed lua_Integer.
local function read_int64(at)
    need(at, 9)
    local a, b, c, d, e, f, g, h = byte(data, at + 1, at + 8)
    local high = ((a * 256 + b) * 256 + c) * 256 + d
    local low = ((e * 256 + f) * 256 + g) * 256 + h
    return (high < 2147483648 and high or high - 4294967296) * 4294967296 + low, at + 9
end

local function read_text(length, at)
    need(at, length)
    return sub(data, at, at + length - 1), at + length
end

local function read_array(length, at, slots)
    if slots + 2 > 8000 then
        throw('stack overflow (in function mp_decode_to_lua_array)')
    end
    local array = {}
    for i = 1, length do
        array[i], at = read(at, slots + 2)
    end
    return array, at
end

local function read_map(length, at, slots)
    local map = {}
    for _ = 1, length do
        local key, value
        key, at = read(at, slots + 1)
        value, at = read(at, slots + 2)
        if key == nil then
            core.error('table index is nil', 0)
        elseif key ~= key then
            core.error('table index is NaN', 0)
        end
        map[key] = value
    end
    return map, at
end

-- A container or string whose length is *bytes* long.
local function sized(bytes, read_content)
    local read_length = unsigned(bytes)
    return function(at, slots)
        local length, behind = read_length(at)
        return read_content(length, behind, slots)
    end
end

local function constant(value)
    return function(at)
        return value, at + 1
    end
end

local function fixed(length, read_content)
    return function(at, slots)
        return read_content(length, at + 1, slots)
    end
end

local function floating(bytes, convert)
    return function(at)
        need(at, bytes + 1)
        return convert(sub(data, at + 1, at + bytes)), at + bytes + 1
    end
end

for value = 0, 127 do
    readers[value] = constant(value)
end
for value = -32, -1 do
    readers[256 + value] = constant(value)
end
for length = 0, 15 do
    readers[0x80 + length] = fixed(length, read_map)
    readers[0x90 + length] = fixed(length, read_array)
end
for length = 0, 31 do
    readers[0xa0 + length] = fixed(length, read_text)
end
readers[0xc0], readers[0xc2], readers[0xc3] = constant(nil), constant(false), constant(true)
readers[0xca], readers[0xcb] = floating(4, core.unpack_float), floating(8, core.unpack_double)
readers[0xcc], readers[0xcd], readers[0xce], readers[0xcf] = unsigned(1), unsigned(2), unsigned(4), read_int64
readers[0xd0], readers[0xd1], readers[0xd2], readers[0xd3] = signed(1), signed(2), signed(4), read_int64
readers[0xd9], readers[0xda], readers[0xdb] = sized(1, read_text), sized(2, read_text), sized(4, read_text)
readers[0xdc], readers[0xdd] = sized(2, read_array), sized(4, read_array)
readers[0xde], readers[0xdf] = sized(2, read_map), sized(4, read_map)

local function checked_text(value, count)
    if type(value) == 'number' then
        return tostring(value)
    elseif type(value) ~= 'string' then
        bad_type(1, 'string', value, count)
    end
    return value
end

local function checked_integer(at, value, count, default)
    if value == nil and default then
        return default
    end
    local number = tonumber(value)
    if not number then
        bad_type(at, 'number', value, count)
    end
    return number < 0 and -floor(-number) or floor(number)
end

-- Read up to *limit* objects from *offset* on: a list and its length.  Unless everything is wanted, the
-- next offset comes first, -1 at the end of the data.
local function read_objects(value, limit, offset)
    if offset < 0 or limit < 0 then
        throw('Invalid request to unpack with offset of ' .. offset .. ' and limit of ' .. #value .. '.')
    elseif offset > #value then
        throw('Start offset ' .. offset .. ' greater than input length ' .. #value .. '.')
    end
    data, size = value, #value
    local everything = offset == 0 and limit == 0
    local values, count, at, first = {}, 0, offset + 1, everything and 0 or 1
    while at <= size and (everything or count < limit) do
        count = count + 1
        values[first + count], at = read(at, count)
    end
    data = nil
    if not everything then
        values[1] = at > size and -1 or at - 1
    end
    return values, first + count
end

-- These must not end in tail calls of our own functions: errors look for their frames.

local function unpack_all(...)
    local value, given = ..., select('#', ...)
    local values, count = read_objects(checked_text(value, given), 0, 0)
    return unpack(values, 1, count)
end

local function unpack_one(...)
    local value, offset = ...
    local given = select('#', ...)
    offset = checked_integer(2, offset, given, 0)
    local values, count = read_objects(checked_text(value, given), 1, offset)
    return unpack(values, 1, count)
end

local function unpack_limit(...)
    local value, limit, offset = ...
    local given = select('#', ...)
    limit = checked_integer(2, limit, given)
    offset = checked_integer(3, offset, given, 0)
    local values, count = read_objects(checked_text(value, given), limit, offset)
    return unpack(values, 1, count)
end

core.cmsgpack = {
    pack = pack, unpack = unpack_all, unpack_one = unpack_one, unpack_limit = unpack_limit,
    _NAME = 'cmsgpack', _VERSION = 'lua-cmsgpack 0.4.0',
    _COPYRIGHT = 'Copyright (C) 2012, Salvatore Sanfilippo',
    _DESCRIPTION = 'MessagePack C implementation for Lua',
}
