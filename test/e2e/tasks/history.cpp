// What the history remembers, how it is searched, and what it forgets.
#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

std::string at(const std::string& json, const std::string& pointer) {
    return json_at(json, pointer).value_or("?");
}

std::size_t runs_in(sandbox& box, const std::vector<std::string>& words) {
    std::vector<std::string> all{"runs", "--json", "-n", "all"};
    all.insert(all.end(), words.begin(), words.end());
    return count(box.run(all).out, "\"id\":");
}

outcome sql(sandbox& box, const std::string& statements) {
    return box.shell("sqlite3 '" + box.state_dir() + "/hob.db' \"" + statements + "\"");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(history)

BOOST_AUTO_TEST_CASE(failed_runs_and_spans_of_time_with_and_without_a_daemon) {
    if (!require_program("sqlite3")) return;
    sandbox box;
    box.config("[task.good]\nrun = ['true']\n[task.bad]\nrun = 'exit 3; true'\n");
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(box.run({"run", "good"}).status == 0);
        BOOST_TEST(box.run({"run", "bad"}).status == 3);
    }
    const auto ms = std::to_string(
        std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count());
    BOOST_REQUIRE(sql(box, "UPDATE run SET started_at = " + ms + " - 7200000 WHERE id <= 2").status == 0);
    const auto check = [&] {
        BOOST_TEST(runs_in(box, {"--failed"}) == 3u);
        BOOST_TEST(runs_in(box, {"--failed", "good"}) == 0u);
        BOOST_TEST(runs_in(box, {"--since", "1h"}) == 4u);
        BOOST_TEST(runs_in(box, {"--until", "1h"}) == 2u);
        BOOST_TEST(runs_in(box, {"--since", "3h", "--until", "1h", "bad"}) == 1u);
        BOOST_TEST(runs_in(box, {"--failed", "--since", "1h"}) == 2u);
        BOOST_TEST(at(box.run({"runs", "--since", "1h", "--json"}).out, "/0/id") == "6");
    };
    check();
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    check();
    BOOST_TEST(box.run({"runs", "--since", "never"}).status == 2);
    BOOST_TEST(box.run({"runs", "--failed", "good"}).err == "no such runs\n");
}

BOOST_AUTO_TEST_CASE(one_run_in_full_names_what_differs_in_its_environment_and_no_value) {
    sandbox box;
    box.config(
        "[task.t]\nrun = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; exit 3'\n"
        "env = { TOKEN = 'secret-value', HOME = '/elsewhere' }\n");
    BOOST_TEST(box.run({"ping"}).status == 0);
    run_options caller;
    caller.env = {{"FROM_CALLER", "hidden"}};
    BOOST_TEST(box.run({"run", "t"}, caller).status == 3);
    const auto shown = box.run({"runs", "1"});
    BOOST_TEST_CONTEXT(shown.text()) {
        BOOST_TEST(shown.out.starts_with("run 1 of t: failed, exit 3\n"));
        BOOST_TEST(shown.out.find("environment  FROM_CALLER HOME TOKEN\n") != std::string::npos);
        BOOST_TEST(shown.out.find("trigger      manual\n") != std::string::npos);
        BOOST_TEST(shown.out.find("  line 3\n") != std::string::npos);
        BOOST_TEST(shown.out.find("  line 12\n") != std::string::npos);
        BOOST_TEST(shown.out.find("  line 2\n") == std::string::npos);
        BOOST_TEST(shown.out.ends_with("all of it: hob logs --run 1\n"));
    }
    const std::string json = box.run({"runs", "1", "--json"}).out;
    BOOST_TEST(at(json, "/environment/2") == "TOKEN");
    BOOST_TEST(at(json, "/output/9") == "line 12");
    BOOST_TEST(at(json, "/kind") == "run");
    BOOST_TEST(slurp(box.state_dir() + "/hob.db").find("secret-value") == std::string::npos);
    BOOST_TEST(slurp(box.state_dir() + "/hob.db-wal").find("secret-value") == std::string::npos);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.run({"runs", "1", "--json"}).out == json);
    const auto unknown = box.run({"runs", "77"});
    BOOST_TEST(unknown.status == 1);
    BOOST_TEST(unknown.err.find("cannot show run '77': there is no such run") != std::string::npos);
    BOOST_TEST(box.run({"runs", "1", "--failed"}).status == 2);
}

BOOST_AUTO_TEST_CASE(a_unit_whose_name_is_a_number_comes_before_a_run_of_that_number) {
    sandbox box;
    box.config("[task.1]\nrun = ['true']\n[task.other]\nrun = ['true']\n");
    BOOST_TEST(box.run({"run", "other"}).status == 0);
    BOOST_TEST(box.run({"run", "1"}).status == 0);
    BOOST_TEST(at(box.run({"runs", "1", "--json"}).out, "/0/id") == "2");
}

BOOST_AUTO_TEST_CASE(what_is_beyond_a_number_an_age_or_a_size_is_forgotten) {
    if (!require_program("sqlite3")) return;
    sandbox box;
    box.config(
        "[task.few]\nrun = ['true']\nkeep = { runs = 2 }\n"
        "[task.large]\nrun = 'head -c 40000 /dev/zero | tr \"\\\\0\" x'\nkeep = { size = '100KiB' }\n"
        "[task.old]\nrun = ['true']\nkeep = { age = '1h' }\n");
    for (int i = 0; i < 4; ++i)
        for (const char* task : {"few", "large", "old"})
            BOOST_TEST(box.run({"run", task}).status == 0);
    BOOST_TEST(runs_in(box, {"few"}) == 2u);
    BOOST_TEST(runs_in(box, {"large"}) == 2u);
    BOOST_TEST(runs_in(box, {"old"}) == 4u);
    BOOST_REQUIRE(
        sql(box, "UPDATE run SET ended_at = ended_at - 7200000 WHERE task = 'old' AND id < 12").status == 0);
    BOOST_TEST(box.run({"run", "old"}).status == 0);
    BOOST_TEST(runs_in(box, {"old"}) == 2u);
    const auto forgotten = box.run({"logs", "--run", "1"});
    BOOST_TEST(forgotten.status == 1);
    BOOST_TEST(forgotten.err.find("cannot read the log of run '1': it was removed from the history") !=
                   std::string::npos,
               forgotten.err);
    BOOST_TEST(box.run({"runs", "1"}).err.find("it was removed from the history") != std::string::npos);
    BOOST_TEST(box.run({"wait", "--run", "1"}).err.find("it was removed from the history") !=
               std::string::npos);
    BOOST_TEST(box.run({"logs", "--run", "999"}).err.find("there is no such run") != std::string::npos);
    // A lower number holds at once.
    box.config(
        "[task.few]\nrun = ['true']\nkeep = 1\n[task.large]\nrun = ['true']\n[task.old]\nrun = ['true']\n");
    BOOST_TEST(box.run({"reload"}).status == 0);
    BOOST_TEST(runs_in(box, {"few"}) == 1u);
}

BOOST_AUTO_TEST_CASE(the_log_of_a_unit_stays_within_its_size_and_a_lost_output_is_named) {
    sandbox box;
    box.config(
        "[task.large]\nrun = 'head -c 90000 /dev/zero | tr \"\\\\0\" x | fold -w 100'\n"
        "keep = { runs = 50, size = '64KiB' }\n[task.small]\nrun = 'echo small'\n");
    for (int i = 0; i < 4; ++i)
        BOOST_TEST(box.run({"run", "large"}).status == 0);
    const auto size = box.shell("cat '" + box.state_dir() + "'/log/large.log* | wc -c");
    BOOST_TEST(std::stoi(size.out) <= 64 * 1024, size.out);
    BOOST_TEST(runs_in(box, {"large"}) == 1u);
    BOOST_TEST(box.run({"run", "small"}).status == 0);
    BOOST_REQUIRE(box.shell("rm '" + box.state_dir() + "'/log/small.log").status == 0);
    const auto lost = box.run({"logs", "--run", "5"});
    BOOST_TEST(lost.status == 0);
    BOOST_TEST(lost.err == "the log no longer has the 6B that run 5 has written\n", lost.text());
    BOOST_TEST(box.run({"runs", "5"}).out.find("output       no longer in the log\n") != std::string::npos);
}

// What the version before this one wrote: no columns for lives, no indices.
BOOST_AUTO_TEST_CASE(a_database_of_the_version_before_is_read_without_a_daemon_and_kept_open_to_it) {
    if (!require_program("sqlite3")) return;
    sandbox box;
    box.config("[task.t]\nrun = 'exit 4; true'\n");
    BOOST_TEST(box.run({"run", "t"}).status == 4);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    const std::string version = sql(box, "PRAGMA user_version").out;
    BOOST_TEST(version == "5\n");
    const auto down =
        sql(box,
            "DROP INDEX run_started; DROP INDEX run_failed; DROP INDEX run_running; "
            "ALTER TABLE run DROP COLUMN kind; ALTER TABLE run DROP COLUMN ready_at; "
            "ALTER TABLE run DROP COLUMN restarts; ALTER TABLE run DROP COLUMN output_bytes; "
            "ALTER TABLE run DROP COLUMN environment; DELETE FROM meta WHERE key = 'additions'");
    BOOST_REQUIRE(down.status == 0);
    for (const std::vector<std::string>& words : {std::vector<std::string>{"runs", "--json"},
                                                  {"runs", "--failed", "--json"},
                                                  {"runs", "--since", "1h", "--json"}})
        BOOST_TEST(at(box.run(words).out, "/0/exit") == "4");
    BOOST_TEST(at(box.run({"runs", "1", "--json"}).out, "/exit") == "4");
    BOOST_TEST(box.run({"run", "t"}).status == 4);
    BOOST_TEST(runs_in(box, {"--failed"}) == 2u);
    BOOST_TEST(sql(box, "PRAGMA user_version").out == version);
    // As the version before writes.
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_REQUIRE(sql(box,
                      "INSERT INTO run (task, trigger, cause, state, started_at, ended_at) VALUES ('t', "
                      "'manual', '', 'failed', 1, 2)")
                      .status == 0);
    BOOST_TEST(runs_in(box, {"--failed"}) == 3u);
    BOOST_TEST(at(box.run({"runs", "--json"}).out, "/0/kind") == "run");
}

BOOST_AUTO_TEST_SUITE_END()
