#include "cmd/init/template.hpp"

namespace hob::cmd {

// Lines that begin with "#" and no blank are configuration to be uncommented; "# " begins a comment. A test
// removes the former and checks the result.
const std::string_view init_template =
    R"toml(# What hob keeps for this project. `man hob.toml` explains every key, `hob check` validates this file,
# `hob reload` applies it to a running daemon.

# A worker answers requests: it is started by the first call and then kept warm.
# This one works everywhere: `cat` gives back each line that it gets. Try it:
#     hob call echo hello
[worker.echo]
run = ["cat"]
protocol = "lines"          # jsonrpc | lsp | dap | mcp | lines
idle_timeout = "15m"        # ends when nobody has called for so long

#[daemon]
#idle_timeout = "30m"        # the daemon ends when nothing runs and nobody has called for so long

# A worker that speaks JSON-RPC, one JSON text a line:
#     hob call search find query=socket
#[worker.search]
#run = ["python3", "tools/search_server.py"]
#protocol = "jsonrpc"
#call_timeout = "30s"

# A service stays up: `hob start db`, `hob logs -f db`, `hob stop db`.
#[service.db]
#run = "postgres -D data"
#ready = { tcp = 5432, timeout = "20s" }     # also: http, exec, log, notify, delay
#restart = "on-failure"      # always | on-failure | never
#stop = { signal = "INT", timeout = "5s" }
#env = { PGPORT = "5432" }

# A task runs and ends: `hob run build`, on a schedule, or when files change.
#[task.build]
#run = "make -j4"            # a string with no more than plain words is executed; anything else is for /bin/sh
#watch = ["src/**/*.c", "Makefile"]
#debounce = "100ms"
#after = ["db"]              # units that must be ready first
#
#[task.sync]
#run = ["rsync", "-a", "data/", "backup/"]
#cron = "*/15 * * * *"       # or every = "15m"
#timeout = "10m"
)toml";

}  // namespace hob::cmd
