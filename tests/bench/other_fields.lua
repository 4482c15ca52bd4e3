-- tests/bench/other_fields.lua - for wrk: a request whose fields are its own.

local threads, count = 0, 0

-- Each thread runs this file for itself, and would count like the others.
function setup(thread)
    thread:set("id", threads)
    threads = threads + 1
end

function request()
    count = count + 1
    wrk.headers["X-Request-Id"] = string.format("%x-%08x", id, count)
    return wrk.format()
end
