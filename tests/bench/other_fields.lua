-- tests/bench/other_fields.lua - for wrk: a request whose fields are its own.

local thread, count = tostring(wrk.thread):match("%x+$") or "", 0

function request()
    count = count + 1
    wrk.headers["X-Request-Id"] = string.format("%s-%08x", thread, count)
    return wrk.format()
end
