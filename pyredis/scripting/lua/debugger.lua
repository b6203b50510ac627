-- What the debugger needs to do inside the interpreter: look at values, run code, stop at lines.
local core = ...
local type, next, pcall, tostring, select, unpack = type, next, pcall, tostring, select, unpack
local getinfo, getlocal, sethook = debug.getinfo, debug.getlocal, debug.sethook
local format, match, concat, find, error = string.format, string.match, table.concat, string.find, error

local MOST_DEPTH = 10
local line_hook

-- A value as the console shows it (ldbCatStackValue).
local function show(value, depth)
    if depth == MOST_DEPTH then
        return '<max recursion level reached! Nested table?>'
    end
    local kind = type(value)
    if kind == 'string' then
        return core.ldb_quote(value)
    elseif kind == 'boolean' or kind == 'nil' then
        return tostring(value)
    elseif kind == 'number' then
        return format('%g', value)
    elseif kind ~= 'table' then
        return format('"%s@%s"', kind, match(tostring(value), '0x%x+') or '(nil)')
    end
    local list, pairs_, expected, is_list = {}, {}, 1, true
    for key, item in next, value do
        is_list = is_list and key == expected
        local text = show(item, depth + 1)
        list[expected] = text
        pairs_[expected] = '[' .. show(key, depth + 1) .. ']=' .. text
        expected = expected + 1
    end
    return '{' .. concat(is_list and list or pairs_, '; ') .. '}'
end

-- The level, as the caller counts, of the function that the hook interrupted: one up from the hook, one down from here.
local function interrupted()
    local level = 1
    while getinfo(level, 'f').func ~= line_hook do
        level = level + 1
    end
    return level
end

local function print_one(name)
    local level = interrupted()
    while getinfo(level, 'f') do
        local i = 1
        while true do
            local found, value = getlocal(level, i)
            if not found then
                break
            elseif found == name then
                return core.ldb_value('<value> ', show(value, 0))
            end
            i = i + 1
        end
        level = level + 1
    end
    if name == 'KEYS' or name == 'ARGV' then
        return core.ldb_value('<value> ', show(core.globals[name], 0))
    end
    core.ldb_log('No such variable.')
end

local function print_all()
    local level, i, count = interrupted(), 1, 0
    while true do
        local name, value = getlocal(level, i)
        if not name then
            break
        end
        if not find(name, '(*temporary)', 1, true) then
            core.ldb_value('<value> ' .. name .. ' = ', show(value, 0))
            count = count + 1
        end
        i = i + 1
    end
    if count == 0 then
        core.ldb_log('No local variables in the current context.')
    end
end

local function trace()
    local level = interrupted()
    local first = level
    while true do
        local info = getinfo(level, 'Snl')
        if not info then
            return
        end
        if find(info.short_src, core.chunk, 1, true) then
            core.ldb_log((level == first and 'In ' or 'From ') .. (info.name or 'top level') .. ':')
            core.ldb_source(info.currentline)
        end
        level = level + 1
    end
end

local function text_of(problem)
    if type(problem) == 'table' then
        problem = problem.err
    end
    return type(problem) == 'string' and problem or tostring(problem)
end

local function evaluate(code)
    local compiled, problem = core.compile('return ' .. code, '@ldb_eval')
    if not compiled then
        compiled, problem = core.compile(code, '@ldb_eval')
    end
    local ok, value
    if compiled then
        ok, value = pcall(compiled)
        problem = value
    end
    if ok then
        core.ldb_value('<retval> ', show(value, 0))
    else
        core.ldb_log('<error> ' .. text_of(problem))
    end
end

local function call_redis(...)
    pcall(core.public_redis.call, ...)
    core.ldb_called()
end

local function serve(what, ...)
    if what == 'print' then
        print_one(...)
    elseif what == 'locals' then
        print_all()
    elseif what == 'trace' then
        trace()
    elseif what == 'eval' then
        evaluate(...)
    elseif what == 'redis' then
        call_redis(...)
    elseif what == 'fail' then
        error({ err = ... }, 0)
    else
        return false
    end
    core.ldb_send()
    return true
end

function line_hook(event)
    local info = getinfo(2, 'Sl')
    if not info or not find(info.short_src, core.chunk, 1, true) then
        return
    end
    if core.ldb_stops(event == 'count', info.currentline) then
        while serve(core.ldb_command()) do
        end
    end
end

function core.watch_lines()
    sethook(line_hook, 'l', 100000)
end

local install_libraries = core.install_libraries

function core.install()
    function core.redis.breakpoint()
        core.ldb_breakpoint()
        return true
    end
    function core.redis.debug(...)
        local shown = {}
        for i = 1, select('#', ...) do
            shown[i] = show((select(i, ...)), 0)
        end
        core.ldb_debug(concat(shown, ', '))
    end
    function core.redis.replicate_commands()
        return true
    end
    install_libraries()
end
