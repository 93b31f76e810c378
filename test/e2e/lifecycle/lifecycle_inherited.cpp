// Settings of the process that starts a daemon: they are undone, or named where the kernel does not permit
// it.

#include <fcntl.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

std::string proc(pid_t pid, const std::string& leaf) { return "/proc/" + std::to_string(pid) + "/" + leaf; }

std::string soft_limit(pid_t pid, const std::string& name) {
    const std::string text = slurp(proc(pid, "limits"));
    const auto at = text.find(name);
    char soft[32] = "";
    if (at != std::string::npos) std::sscanf(text.c_str() + at + name.size(), "%31s", soft);
    return soft;
}

// What undo_inherited() sets, of one process.
std::string settings_of(pid_t pid) {
    std::string text;
    text += "nice " + std::to_string(::getpriority(PRIO_PROCESS, static_cast<id_t>(pid)));
    text += ", policy " + std::to_string(::sched_getscheduler(pid));
    text += ", io " + std::to_string(::syscall(SYS_ioprio_get, 1, pid) >> 13);
    text += ", cpus " + proc_status(pid, "Cpus_allowed_list");
    text += ", oom " + slurp(proc(pid, "oom_score_adj"));
    text += ", slack " + slurp(proc(pid, "timerslack_ns"));
    text += ", personality " + slurp(proc(pid, "personality"));
    for (const char* limit : {"Max file size", "Max cpu time", "Max data size", "Max address space",
                              "Max locked memory", "Max pending signals", "Max stack size"})
        text += std::string(", ") + limit + " " + soft_limit(pid, limit);
    return text;
}

pid_t unit_pid(sandbox& box) {
    return std::atoi(json_at(box.run({"status", "--json"}).out, "/units/0/pid").value_or("0").c_str());
}

constexpr const char* service = "[service.s]\nrun = 'exec sleep 1000'\n";

// Starts daemon and unit from a caller that has changed itself; returns what both are under.
std::pair<std::string, std::string> started_under(const std::function<void()>& change) {
    sandbox box;
    box.config(service);
    run_options options;
    options.in_child = change;
    const auto start = box.run({"start", "s"}, options);
    BOOST_REQUIRE_MESSAGE(start.status == 0, start.text());
    const pid_t daemon = box.daemon_pid();
    const pid_t unit = unit_pid(box);
    BOOST_REQUIRE(daemon > 0);
    BOOST_REQUIRE(unit > 0);
    return {settings_of(daemon), settings_of(unit)};
}

template <int Resource, rlim_t Soft>
void lower() {
    rlimit limit{};
    ::getrlimit(static_cast<__rlimit_resource>(Resource), &limit);
    limit.rlim_cur = std::min<rlim_t>(Soft, limit.rlim_max);
    ::setrlimit(static_cast<__rlimit_resource>(Resource), &limit);
}

void write_oom_score(const char* text) {
    const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    [[maybe_unused]] const auto n = ::write(fd, text, std::strlen(text));
    ::close(fd);
}

void first_cpu_only() {
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    ::sched_setaffinity(0, sizeof first, &first);
}

std::string kept_of(sandbox& box, const std::function<void()>& change) {
    run_options options;
    options.in_child = change;
    const auto ping = box.run({"ping"}, options);
    BOOST_REQUIRE_MESSAGE(ping.status == 0, ping.text());
    return box.run({"status"}).out + box.run({"doctor"}).out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle_inherited)

BOOST_AUTO_TEST_CASE(L37_what_the_first_caller_has_changed_about_itself_does_not_stick) {
    if (!require_root()) return;
    const auto [daemon, unit] = started_under([] {});
    std::vector<std::function<void()>> changes{
        first_cpu_only,
        [] { write_oom_score("500"); },
        [] { ::syscall(SYS_ioprio_set, 1, 0, 3 << 13); },
        [] { ::setpriority(PRIO_PROCESS, 0, 15); },
        [] {
            const sched_param none{};
            ::sched_setscheduler(0, SCHED_IDLE, &none);
        },
        [] { ::prctl(PR_SET_TIMERSLACK, 77'000'000UL); },
        [] { ::personality(ADDR_NO_RANDOMIZE); },
        lower<RLIMIT_FSIZE, 100'000'000>,
        lower<RLIMIT_CPU, 100>,
        lower<RLIMIT_MEMLOCK, 4096>,
        lower<RLIMIT_SIGPENDING, 100>,
        lower<RLIMIT_STACK, 1 << 20>,
    };
    if (!sanitized()) {  // AddressSanitizer reserves terabytes of addresses
        changes.emplace_back(lower<RLIMIT_DATA, 1'000'000'000>);
        changes.emplace_back(lower<RLIMIT_AS, 4'000'000'000>);
    }
    for (std::size_t i = 0; i < changes.size(); ++i) {
        BOOST_TEST_CONTEXT("change " << i) {
            const auto [changed_daemon, changed_unit] = started_under(changes[i]);
            BOOST_TEST(changed_daemon == daemon);
            BOOST_TEST(changed_unit == unit);
        }
    }
}

BOOST_AUTO_TEST_CASE(L37_what_cannot_be_undone_is_named_by_status_and_doctor) {
    if (!require_root()) return;
    const struct {
        const char* words;
        std::function<void()> change;
    } rows[] = {
        {"no_new_privs", [] { ::prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL); }},
        {"the capability bounding set ", [] { ::prctl(PR_CAPBSET_DROP, 13UL, 0UL, 0UL, 0UL); }},
        {"another network namespace", [] { ::unshare(CLONE_NEWNET); }},
        {"another mount namespace", [] { ::unshare(CLONE_NEWNS); }},
        {"a hard limit of 10000000 bytes a file",
         [] {
             const rlimit limit{10'000'000, 10'000'000};
             ::setrlimit(RLIMIT_FSIZE, &limit);
         }},
    };
    for (const auto& row : rows) {
        sandbox box;
        const std::string text = kept_of(box, row.change);
        BOOST_TEST(count(text, row.words) == 2u, row.words << " in:\n" << text);
        const auto json = box.run({"status", "--json"});
        BOOST_TEST(json_at(json.out, "/daemon/kept").value_or("").find(row.words) != std::string::npos,
                   json.text());
    }
    sandbox box;
    BOOST_TEST(kept_of(box, [] {}).find("was started under") == std::string::npos);
    // Without a daemon, doctor says what one that is started here would keep.
    box.run({"shutdown"});
    run_options options;
    options.in_child = [] { ::prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL); };
    const auto doctor = box.run({"doctor"}, options);
    BOOST_TEST(doctor.out.find("keeps no_new_privs") != std::string::npos, doctor.text());
}

BOOST_AUTO_TEST_CASE(L38_a_file_size_limit_is_an_ordinary_write_error) {
    sandbox box;
    box.config(std::string(service) + "[service.l]\nrun = 'yes'\n[log]\nmax_size = '1MiB'\n");
    for (const rlim_t bytes : {rlim_t{0}, rlim_t{20'000}, rlim_t{150'000}}) {
        run_options options;
        options.in_child = [bytes] {
            const rlimit limit{bytes, bytes};
            ::setrlimit(RLIMIT_FSIZE, &limit);
        };
        const auto start = box.run({"start", "s"}, options);
        BOOST_REQUIRE_MESSAGE(start.status == 0, bytes << ": " << start.text());
        const pid_t daemon = box.daemon_pid();
        for (int i = 0; i < 20; ++i)
            box.run({"run", "--", "echo", std::string(2000, 'x')}, options);
        BOOST_TEST(box.daemon_pid() == daemon);
        BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/units/0/state").value_or("") == "ready");
        // Units have the default disposition.
        const auto ignored = std::strtoull(proc_status(unit_pid(box), "SigIgn").c_str(), nullptr, 16);
        BOOST_TEST((ignored & (1ULL << (SIGXFSZ - 1))) == 0u);
        BOOST_TEST(box.run({"shutdown"}).status == 0);
    }
}

BOOST_AUTO_TEST_CASE(L42_every_signal_that_ends_a_process_ends_the_daemon_in_order) {
    std::vector<int> signals{SIGTERM, SIGINT, SIGQUIT,   SIGUSR1, SIGUSR2,  SIGALRM,      SIGVTALRM, SIGPROF,
                             SIGIO,   SIGPWR, SIGSTKFLT, SIGXCPU, SIGRTMIN, SIGRTMIN + 7, SIGRTMAX};
    sandbox box;
    box.config("[service.s]\nrun = 'trap \"echo >>ended; exit 0\" TERM; while :; do sleep 0.1; done'\n");
    std::size_t ends = 0;
    for (const int number : signals) {
        BOOST_TEST_CONTEXT("signal " << number) {
            const auto start = box.run({"start", "s"});
            BOOST_REQUIRE_MESSAGE(start.status == 0, start.text());
            const pid_t daemon = box.daemon_pid();
            ::kill(daemon, number);
            BOOST_REQUIRE(wait_until([&] { return !process_lives(daemon); }));
            BOOST_TEST(!exists(box.pid_file()));
            BOOST_TEST(!exists(box.socket()));
            BOOST_TEST(slurp(box.project() + "/ended").size() == ++ends);
        }
    }
    // A client keeps the defaults.
    auto client = box.start({"events"});
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    client.signal(SIGUSR1);
    BOOST_TEST(client.wait().signal == SIGUSR1);
}

BOOST_AUTO_TEST_SUITE_END()
