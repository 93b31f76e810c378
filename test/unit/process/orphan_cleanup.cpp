// Leftovers of a predecessor. The test acts as the crashed daemon: it starts processes with marks and
// records.
#include "unit/process/orphan_cleanup.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <vector>

#include "fixtures/run_loop.hpp"
#include "util/proc.hpp"

using namespace std::chrono_literals;
using hob::unit::kill_scope;

namespace {

const std::string key = "orphans-" + std::to_string(::getpid());

// `sleep 1000` as a leader of its own session, in this environment; reaped by its destructor.
class sleeper {
public:
    explicit sleeper(std::vector<std::string> environment, bool ignore_term = false) {
        int ready[2];
        BOOST_REQUIRE(::pipe2(ready, O_CLOEXEC) == 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::setsid();
            if (ignore_term) ::signal(SIGTERM, SIG_IGN);
            std::vector<char*> pointers;
            for (auto& entry : environment)
                pointers.push_back(entry.data());
            pointers.push_back(nullptr);
            char name[] = "sleep", time[] = "1000";
            char* argv[] = {name, time, nullptr};
            ::execve("/bin/sleep", argv, pointers.data());
            ::_exit(127);
        }
        ::close(ready[1]);
        char byte;
        [[maybe_unused]] const auto n = ::read(ready[0], &byte, 1);  // end of file: it executes sleep
        ::close(ready[0]);
    }
    ~sleeper() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    sleeper(const sleeper&) = delete;
    sleeper& operator=(const sleeper&) = delete;

    pid_t pid() const { return pid_; }
    bool alive() const {
        const auto stat = hob::util::read_proc_stat(pid_);
        return stat && stat->state != 'Z';
    }
    hob::unit::process_record record(const std::string& unit, kill_scope kill) const {
        return {unit, pid_, pid_, pid_, hob::util::read_proc_stat(pid_)->start_time, hob::util::boot_id(),
                kill};
    }

private:
    pid_t pid_ = 0;
};

std::vector<std::string> marked(const std::string& instance, const std::string& unit) {
    return {"HOB_INSTANCE=" + instance, "HOB_UNIT=" + unit};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(orphan_cleanup)

BOOST_AUTO_TEST_CASE(D02_a_recorded_leftover_is_ended_and_forgotten) {
    hob::unit::store db("");
    const sleeper plain(marked(key, "w"));
    const sleeper stubborn(marked(key, "w"), true);
    const sleeper unmarked({});
    db.put_process(plain.record("w", kill_scope::all));
    db.put_process(unmarked.record("v", kill_scope::all));
    hob::unit::clean_up_orphans(db, key, 3s);
    BOOST_TEST(!plain.alive());
    BOOST_TEST(!stubborn.alive());
    BOOST_TEST(!unmarked.alive());
    BOOST_TEST(db.processes().empty());
}

BOOST_AUTO_TEST_CASE(processes_of_others_are_left_alone) {
    hob::unit::store db("");
    const sleeper ours(marked(key, "w"));
    const sleeper other_instance(marked(key + "x", "w"));
    const sleeper stranger({});
    db.put_process(ours.record("w", kill_scope::all));
    // The pid was reused by another process: its start time differs.
    auto reused = stranger.record("w", kill_scope::all);
    reused.start_time -= 1;
    db.put_process(reused);
    // A pid of an earlier boot.
    auto earlier = other_instance.record("v", kill_scope::all);
    earlier.boot_id = "another";
    db.put_process(earlier);
    hob::unit::clean_up_orphans(db, key, 3s);
    BOOST_TEST(!ours.alive());
    BOOST_TEST(other_instance.alive());
    BOOST_TEST(stranger.alive());
    BOOST_TEST(db.processes().empty());
}

BOOST_AUTO_TEST_CASE(a_recorded_process_marked_for_another_instance_is_spared_unless_it_is_the_leader) {
    hob::unit::store db("");
    const sleeper main(marked(key, "w"));
    const sleeper other(marked(key + "x", "w"));
    db.put_process(main.record("w", kill_scope::group));
    hob::unit::clean_up_orphans(db, key, 3s);
    BOOST_TEST(!main.alive());
    BOOST_TEST(other.alive());
}

BOOST_AUTO_TEST_CASE(D02_scopes_group_and_main_spare_what_they_spare) {
    hob::unit::store db("");
    const sleeper main(marked(key, "w"));
    const sleeper away(marked(key, "w"));
    db.put_process(main.record("w", kill_scope::main));
    hob::unit::clean_up_orphans(db, key, 3s);
    BOOST_TEST(!main.alive());
    BOOST_TEST(away.alive());
}

BOOST_AUTO_TEST_CASE(nothing_recorded_is_nothing_looked_for) {
    hob::unit::store db("");
    const sleeper away(marked(key, "w"));
    hob::unit::clean_up_orphans(db, key, 3s);
    BOOST_TEST(away.alive());
}

BOOST_AUTO_TEST_SUITE_END()
