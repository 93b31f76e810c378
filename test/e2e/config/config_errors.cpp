// A broken or changed configuration, and how the daemon and each verb react.
#include <sys/stat.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

bool says(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(config_errors)

BOOST_AUTO_TEST_CASE(L28_acting_verbs_report_line_and_column_at_once_and_leave_nothing) {
    sandbox box;
    box.config("[worker.echo]\nrun = \"cat\"\nprotcol = \"lines\"\n");
    const std::string expected =
        "hob: cannot use '" + box.project() +
        "/hob.toml:3:1': unknown key 'protcol' in [worker.echo]\nhint: did you mean 'protocol'?\n";
    const std::vector<std::vector<std::string>> acting{{"ping"},          {"call", "echo", "x"},
                                                       {"start", "echo"}, {"restart"},
                                                       {"daemon"},        {"daemon", "--foreground"}};
    for (const auto& verb : acting) {
        BOOST_TEST_CONTEXT(verb.front()) {
            const outcome failed = box.run(verb);
            BOOST_TEST(failed.status == 2, failed.text());
            BOOST_TEST(says(failed.err, expected), failed.err);
            BOOST_TEST(!exists(box.socket()));
            BOOST_TEST(!exists(box.pid_file()));
        }
    }
    const outcome json = box.run({"--json", "ping"});
    BOOST_TEST(json.status == 2);
    BOOST_TEST(json_at(json.err, "/error/code").value_or("") == "config");
    BOOST_TEST(json_at(json.err, "/error/hint").value_or("") == "did you mean 'protocol'?");
}

BOOST_AUTO_TEST_CASE(L28_the_failure_comes_long_before_any_deadline) {
    sandbox box;
    box.config("nonsense");
    milliseconds fastest = 1h;
    for (int i = 0; i < 10; ++i)
        fastest = std::min(fastest, box.run({"ping"}).elapsed);
    BOOST_TEST((fastest < (sanitized() ? 2000ms : 100ms)), fastest.count());
}

BOOST_AUTO_TEST_CASE(L28_verbs_that_need_no_configuration_still_work) {
    sandbox box;
    box.config("[worker.echo]\nrun = \"cat\"\nprotocol = \"lines\"\n");
    BOOST_REQUIRE_EQUAL(box.run({"ping"}).status, 0);
    BOOST_REQUIRE_EQUAL(box.run({"shutdown"}).status, 0);
    box.config("[worker.echo\n");
    BOOST_TEST(box.run({"status"}).status == 3);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    const outcome logs = box.run({"logs"});
    BOOST_TEST(logs.status == 0, logs.text());
    BOOST_TEST(logs.out != "");
    BOOST_TEST(box.run({"doctor"}).status != 2);
    BOOST_TEST(box.run({"list"}).status == 0);
}

BOOST_AUTO_TEST_CASE(L28_a_configuration_error_is_no_crash_loop) {
    sandbox box;
    box.config("nonsense");
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(box.run({"ping"}).status == 2);
    box.config("");
    const outcome ping = box.run({"ping"});
    BOOST_TEST(ping.status == 0, ping.text());
}

BOOST_AUTO_TEST_CASE(a_reload_of_a_broken_file_changes_nothing_and_reports_the_error) {
    sandbox box;
    box.config("[worker.echo]\nrun = \"cat\"\nprotocol = \"lines\"\n");
    BOOST_REQUIRE_EQUAL(box.run({"call", "echo", "a"}).status, 0);
    const pid_t before = box.daemon_pid();
    const auto worker = json_at(box.run({"--json", "status"}).out, "/units/0/pid");
    box.config("[worker.echo]\nrun = 1\n");
    const outcome reload = box.run({"reload"});
    BOOST_TEST(reload.status == 2, reload.text());
    BOOST_TEST(says(reload.err, "hob.toml:2:7': 'run' in [worker.echo] must be a string or an array"),
               reload.err);
    const outcome status = box.run({"--json", "status"});
    BOOST_TEST(json_at(status.out, "/daemon/config_state").value_or("") == "broken");
    BOOST_TEST(json_at(status.out, "/units/0/pid").value_or("?") == worker.value_or("-"));
    BOOST_TEST(box.daemon_pid() == before);
    BOOST_TEST(box.run({"call", "echo", "b"}).status == 0);
}

BOOST_AUTO_TEST_CASE(status_says_when_the_file_was_changed) {
    sandbox box;
    box.config("[worker.echo]\nrun = \"cat\"\nprotocol = \"lines\"\n");
    BOOST_REQUIRE_EQUAL(box.run({"ping"}).status, 0);
    const auto state = [&] {
        return json_at(box.run({"--json", "status"}).out, "/daemon/config_state").value_or("");
    };
    BOOST_TEST(state() == "current");
    box.config("[worker.echo]\nrun = \"cat\"\nprotocol = \"lines\"\n[worker.two]\nrun = \"cat\"\n");
    BOOST_TEST(state() == "changed");
    const outcome reload = box.run({"--json", "reload"});
    BOOST_TEST(reload.status == 0, reload.text());
    BOOST_TEST(json_at(reload.out, "/added/0").value_or("") == "two");
    BOOST_TEST(json_at(reload.out, "/unchanged/0").value_or("") == "echo");
    BOOST_TEST(state() == "current");
}

BOOST_AUTO_TEST_CASE(L12_a_fifo_as_configuration_blocks_nothing) {
    sandbox box;
    BOOST_REQUIRE(::unlink((box.project() + "/hob.toml").c_str()) == 0);
    BOOST_REQUIRE(::mkfifo((box.project() + "/hob.toml").c_str(), 0600) == 0);
    run_options soon;
    soon.limit = 10s;
    const outcome ping = box.run({"ping"}, soon);
    BOOST_TEST(ping.status == 2, ping.text());
    BOOST_TEST(says(ping.err, "it is a fifo"), ping.err);
    BOOST_TEST(box.run({"status"}, soon).status == 3);
}

BOOST_AUTO_TEST_CASE(S02_a_configuration_of_another_user_is_refused_by_name) {
    if (!require_root()) return;
    sandbox box;
    box.config("[worker.echo]\nrun = \"cat\"\n");
    const std::string file = box.project() + "/hob.toml";
    BOOST_REQUIRE(::chown(file.c_str(), 12345, 12345) == 0);
    const outcome refused = box.run({"--json", "ping"});
    BOOST_TEST(refused.status == 2, refused.text());
    BOOST_TEST(json_at(refused.err, "/error/code").value_or("") == "untrusted_config");
    BOOST_TEST(says(refused.err, file), refused.err);
    BOOST_TEST(says(refused.err, "uid 12345"), refused.err);
    BOOST_TEST(!exists(box.socket()));
}

BOOST_AUTO_TEST_SUITE_END()
