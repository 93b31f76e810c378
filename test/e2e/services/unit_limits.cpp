// memory_max, pids_max and cpu_weight: enforced by the kernel where the daemon has a cgroup for that, and
// told where they have no effect.

#include <boost/test/unit_test.hpp>
#include <string>

#include "fixtures/guest.hpp"
#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

// Two processes use 48 MiB each, one after the other; the second one says so.
constexpr const char* eater = R"py(
import os, sys, time
if sys.argv[1:] == ['asked']: sys.stdin.readline()
def eat(): return bytearray(os.urandom(1 << 20)) * 48
read, write = os.pipe()
if os.fork() == 0:
    held = eat()
    os.write(write, b'x')
    time.sleep(1000)
os.read(read, 1)
held = eat()
print('has it all', flush=True)
time.sleep(1000)
)py";

const std::string delegated = R"sh(
mkdir /sys/fs/cgroup/own
echo '+memory +pids +cpu' >/sys/fs/cgroup/cgroup.subtree_control
)sh";

// In the guest, a daemon alone in a cgroup of its own.
const std::string alone = delegated + R"sh(
(echo $BASHPID >/sys/fs/cgroup/own/cgroup.procs; exec hob daemon --foreground) >/run/daemon.log 2>&1 &
until hob --no-spawn ping >/dev/null 2>&1; do read -t 0.05 </dev/zero; done
show() { for file in "$@"; do echo "$file: $(cat /sys/fs/cgroup/own/hob-*/$file)"; done; }
)sh";

const std::string limited = R"toml(
[service.small]
run = "sleep 1000"
pids_max = 20
cpu_weight = 300
[service.hungry]
run = "python3 eater.py"
memory_max = "64MiB"
restart = "never"
ready = { log = "has it all", timeout = "60s" }
[task.once]
run = "python3 eater.py"
memory_max = "64MiB"
[worker.w]
run = "python3 eater.py asked"
protocol = "lines"
kill = "main"
memory_max = "64MiB"
[service.forks]
run = 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & done; echo started all; wait'
ready = { log = "started all", timeout = "60s" }
restart = "never"
pids_max = 5
)toml";

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(unit_limits)

BOOST_AUTO_TEST_CASE(the_kernel_enforces_them_where_the_daemon_is_alone_in_its_cgroup) {
    sandbox box;
    box.write("eater.py", eater);
    box.config(limited);
    const auto out = run_in_guest(box, alone + R"sh(
hob start small; show small/pids.max small/cpu.weight
echo "in the leaf: $(wc -l </sys/fs/cgroup/own/hob-*/+daemon/cgroup.procs)"
hob start hungry; echo "hungry: $?"
hob run once; echo "once: $?"
hob runs once -n 1
hob --timeout 60s call w x; echo "w: $?"
hob start forks; echo "forks: $?"
hob doctor | grep limits
hob status small --json
hob shutdown; echo "shutdown: $?"
echo "left: $(ls -d /sys/fs/cgroup/own/*/ 2>/dev/null) $(cat /sys/fs/cgroup/own/cgroup.subtree_control)"
)sh");
    if (!out) return;
    BOOST_TEST_CONTEXT(*out) {
        BOOST_TEST(holds(*out, "small/pids.max: 20\n"));
        BOOST_TEST(holds(*out, "small/cpu.weight: 300\n"));
        BOOST_TEST(holds(*out, "in the leaf: 2\n"));
        BOOST_TEST(holds(*out, "cannot start 'hungry': was killed: memory limit 64MiB"));
        BOOST_TEST(holds(*out, "hungry: 1\n"));
        BOOST_TEST(holds(*out, "once: 137\n"));
        BOOST_TEST(holds(*out, "manual  was killed: memory limit 64MiB"));
        BOOST_TEST(holds(*out, "the worker was killed: memory limit 64MiB"));
        BOOST_TEST(holds(*out, "w: 1\n"));
        BOOST_TEST(holds(*out, "forks: 1\n"));
        BOOST_TEST(holds(*out, "each limit of a unit that runs is in force"));
        BOOST_TEST(holds(*out, "\"limits\":{\"pids_max\":20,\"cpu_weight\":300,\"without_effect\":[]}"));
        BOOST_TEST(holds(*out, "shutdown: 0\n"));
        BOOST_TEST(holds(*out, "left:  \n"));
    }
}

BOOST_AUTO_TEST_CASE(a_daemon_that_shares_its_cgroup_stays_in_it_and_says_what_has_no_effect) {
    sandbox box;
    box.config("[service.s]\nrun = 'sleep 1000'\nmemory_max = '64MiB'\npids_max = 5\ncpu_weight = 50\n");
    const auto out = run_in_guest(box, delegated + R"sh(
echo $BASHPID >/sys/fs/cgroup/own/cgroup.procs
hob start s
hob status s
hob doctor | grep -A1 limits
hob status s --json
echo "moved: $(ls -d /sys/fs/cgroup/own/hob-*/+daemon 2>/dev/null)"
echo "enabled: $(cat /sys/fs/cgroup/own/cgroup.subtree_control)"
hob shutdown
)sh");
    if (!out) return;
    BOOST_TEST_CONTEXT(*out) {
        BOOST_TEST(holds(*out, "s  ready"));
        BOOST_TEST(holds(*out, "without effect here: pids_max, cpu_weight"));
        BOOST_TEST(holds(*out, "without effect: pids_max, cpu_weight of 's'; memory_max of 's' is measured"));
        BOOST_TEST(holds(*out, "\"memory_measured\":true"));
        BOOST_TEST(holds(*out, "moved: \n"));
        BOOST_TEST(holds(*out, "enabled: \n"));
    }
}

BOOST_AUTO_TEST_CASE(without_a_cgroup_the_memory_of_all_its_processes_is_measured) {
    sandbox box;
    box.set_env("HOB_CGROUP", "off");
    box.write("eater.py", eater);
    box.config(
        "[service.s]\nrun = 'python3 eater.py'\nready = { log = 'has it all' }\nmemory_max = '64MiB'\n"
        "restart = 'never'\non_failure = 'echo \"$HOB_REASON\" > reason'\n"
        "[service.modest]\nrun = 'sleep 1000'\nmemory_max = '64MiB'\n"
        "[task.t]\nrun = 'python3 eater.py'\nmemory_max = '64MiB'\n");
    BOOST_REQUIRE(box.run({"start", "s", "modest"}).status == 0);
    const auto run = box.run({"run", "t"});
    BOOST_TEST(run.status == 137, run.text());
    const std::string why = "was killed: memory limit 64MiB (it used ";
    BOOST_TEST(wait_until([&] { return holds(slurp(box.project() + "/reason"), why); }, 30s));
    const auto status = box.run({"status", "--json"});
    BOOST_TEST(holds(status.out, why), status.out);
    BOOST_TEST(holds(box.run({"runs", "t"}).out, why));
    BOOST_TEST(unit_member(box, "modest", "state") == "ready");
}

BOOST_AUTO_TEST_SUITE_END()
