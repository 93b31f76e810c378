#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

void some_runs(sandbox& box) {
    box.config("[task.good]\nrun = [\"true\"]\n[task.bad]\nrun = \"exit 3; true\"\n");
    BOOST_TEST(box.run({"run", "good"}).status == 0);
    BOOST_TEST(box.run({"run", "bad"}).status == 3);
    BOOST_TEST(box.run({"run", "--", "echo", "</script><b>"}).status == 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(runs)

BOOST_AUTO_TEST_CASE(the_history_is_there_with_and_without_a_daemon) {
    sandbox box;
    box.set_env("LC_ALL", "C");
    some_runs(box);
    const auto with = box.run({"runs"});
    BOOST_TEST_CONTEXT(with.text()) {
        BOOST_TEST(count(with.out, "\n") == 4u);
        BOOST_TEST(with.out.find("exit 3") != std::string::npos);
        BOOST_TEST(with.out.find("good") > with.out.find("bad"));
        BOOST_TEST(with.out.find("#") != std::string::npos);  // a bar
    }
    const auto json = box.run({"runs", "--json"}).out;
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.run({"runs"}).out == with.out);
    BOOST_TEST(box.run({"runs", "--json"}).out == json);
    BOOST_TEST(box.daemon_pid() == 0);
    BOOST_TEST(json_at(box.run({"runs", "bad", "--json"}).out, "/0/exit").value_or("") == "3");
    BOOST_TEST(count(box.run({"runs", "-n", "1", "--json"}).out, "\"id\":") == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_not_there_says_so) {
    sandbox box;
    box.config("[task.good]\nrun = [\"true\"]\n");
    BOOST_TEST(box.run({"runs", "--json"}).out == "[]\n");
    BOOST_TEST(box.run({"runs", "good"}).err == "no runs yet\n");
    const auto unknown = box.run({"runs", "goof"});
    BOOST_TEST(unknown.status == 1);
    BOOST_TEST(unknown.err.find("did you mean 'good'?") != std::string::npos);
    BOOST_TEST(box.run({"runs", "-n", "0"}).status == 2);
    BOOST_TEST(box.run({"runs", "--plot"}).status == 2);
}

BOOST_AUTO_TEST_CASE(a_plot_has_a_column_for_each_run) {
    sandbox box;
    box.set_env("LC_ALL", "C");
    box.config("[task.t]\nrun = [\"true\"]\n");
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(box.run({"run", "t"}).status == 0);
    const auto plot = box.run({"runs", "t", "--plot"});
    BOOST_TEST(plot.status == 0);
    BOOST_TEST(plot.out.find("|###\n") != std::string::npos);
    BOOST_TEST(plot.out.find("+---\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_page_opens_in_a_browser) {
    if (!require_program("chromium")) return;
    sandbox box;
    some_runs(box);
    const std::string page = box.root() + "/runs.html";
    BOOST_TEST(box.run({"runs", "--html", page}).status == 0);
    run_options options;
    options.limit = 120s;
    const auto shown = box.shell(
        "chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking "
        "--disable-component-update --disable-sync --user-data-dir=" +
            box.root() + "/browser --dump-dom file://" + page + " 2>/dev/null",
        options);
    BOOST_TEST_CONTEXT(shown.text().substr(0, 4000)) {
        BOOST_TEST(shown.status == 0);
        BOOST_TEST(count(shown.out, "class=\"bar ok\"") == 2u);
        BOOST_TEST(count(shown.out, "class=\"bar failed\"") == 1u);
        BOOST_TEST(count(shown.out, "class=\"name\"") == 3u);
        BOOST_TEST(shown.out.find("<td>3</td>") != std::string::npos);
        BOOST_TEST(shown.out.find("3 runs in " + box.project()) != std::string::npos);
        BOOST_TEST(shown.out.find("&lt;/script&gt;") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(check_prints_what_is_due_next) {
    sandbox box;
    box.config(
        "[task.night]\nrun = [\"true\"]\ncron = \"30 3 * * *\"\n[task.hand]\nrun = [\"true\"]\n"
        "[task.often]\nrun = [\"true\"]\nevery = \"1h\"\n");
    box.set_env("TZ", "UTC");
    const auto next = box.run({"check", "--next", "2"});
    BOOST_TEST(next.status == 0);
    BOOST_TEST(count(next.out, "T03:30:00.000Z  night\n") == 2u);
    BOOST_TEST(count(next.out, "  often\n") == 2u);
    BOOST_TEST(count(next.out, "hand") == 0u);
    BOOST_TEST(json_at(box.run({"check", "--next", "2", "--json"}).out, "/next/night/1").has_value());
    BOOST_TEST(box.run({"check", "--next", "0"}).status == 2);
    // The grid that the daemon keeps is the one that is printed.
    BOOST_TEST(box.run({"run", "--", "true"}).status == 0);
    const auto due = json_at(box.run({"status", "--json"}).out, "/units/2/next_at").value_or("?");
    BOOST_TEST(box.run({"check", "--next", "1"}).out.find(due + "  often\n") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
