#include "cmd/init/template.hpp"

namespace hob::cmd {

// Lines that begin with "#" without a blank are configuration to be uncommented; "# " begins a comment. A
// test uncomments the former and checks the result.
const std::string_view init_template =
    R"toml(# The units that hob runs for this project. `man hob.toml` explains every key, `hob check` validates this
# file, `hob reload` applies it to a running daemon.

# A worker answers requests: the first call starts it, and then it stays warm.
# This one works everywhere: `cat` returns each line that it gets. Try it:
#     hob call echo hello
[worker.echo]
run = ["cat"]
protocol = "lines"          # jsonrpc | lsp | dap | mcp | lines
idle_timeout = "15m"        # ends after 15 minutes without a call

#[daemon]
#idle_timeout = "30m"        # the daemon ends after 30 minutes without a call or a running unit

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
#run = "make -j4"            # a string runs in /bin/sh; plain words like these are executed without a shell
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
