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

// What a browser makes of the page of `hob runs --html`.
std::string opened(sandbox& box, const std::string& page) {
    run_options options;
    options.limit = 120s;
    const auto shown = box.shell(
        "chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking "
        "--disable-component-update --disable-sync --user-data-dir=" +
            box.root() + "/browser --dump-dom file://" + page + " 2>/dev/null",
        options);
    BOOST_TEST(shown.status == 0);
    return shown.out.substr(shown.out.find("<body>"));
}

BOOST_AUTO_TEST_CASE(C14_the_page_ends_when_it_was_written_and_shows_how_each_run_and_service_ended) {
    if (!require_program("chromium")) return;
    sandbox box;
    box.config(
        "[task.good]\nrun = 'true'\n[task.bad]\nrun = 'echo why; exit 3'\n[task.shot]\nrun = 'kill -SEGV "
        "$$'\n"
        "[task.long]\nrun = 'echo begun; exec sleep 1000'\n"
        "[service.web]\nrun = ['sleep', '1000']\nready = { delay = '0s' }\n"
        "[service.sick]\nrun = 'exit 9'\nrestart = 'never'\nready = { delay = '1s' }\n");
    BOOST_TEST(box.run({"run", "good"}).status == 0);
    BOOST_TEST(box.run({"run", "bad"}).status == 3);
    BOOST_TEST(box.run({"run", "shot"}).status == 139);
    BOOST_TEST(box.run({"run", "--detach", "long"}).status == 0);
    BOOST_TEST(box.run({"run", "--", "printf", "\\033[31m</script><b>\\033[0m\\342\\200\\256\\n"}).status ==
               0);
    BOOST_TEST(box.run({"start", "web"}).status == 0);
    BOOST_TEST(box.run({"restart", "web"}).status == 0);
    BOOST_TEST(box.run({"start", "sick"}).status == 1);
    const std::string page = box.root() + "/runs.html";
    BOOST_TEST(box.run({"runs", "--html", page}).status == 0);
    // It ends at its time, also when it is opened without the daemon.
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    const std::string shown = opened(box, page);
    BOOST_TEST_CONTEXT(shown.substr(shown.find("</script>") + 9, 8000)) {
        BOOST_TEST(shown.find("5 runs, 2 failed; 1 service up") != std::string::npos);
        BOOST_TEST(shown.find("where the time line ends") != std::string::npos);
        BOOST_TEST(count(shown, "class=\"bar ok\"") == 2u);
        BOOST_TEST(count(shown, "class=\"bar failed\"") == 3u);  // two runs and a service
        BOOST_TEST(count(shown, "class=\"bar running open\"") == 1u);
        BOOST_TEST(count(shown, "class=\"bar up open\"") == 1u);
        BOOST_TEST(count(shown, "class=\"bar up\"") == 1u);  // web before its restart
        BOOST_TEST(count(shown, "class=\"state failed\"") == 3u);
        for (const char* part : {">failed, exit 3<", ">failed, signal 11 (SEGV)<", " so far<", "goes on"})
            BOOST_TEST_CONTEXT(part) { BOOST_TEST(shown.find(part) != std::string::npos); }
        BOOST_TEST(count(shown, "<i style=") > 0u);  // ticks
    }
    const std::string bytes = slurp(page);
    BOOST_TEST(bytes.find("why\\n") != std::string::npos);
    BOOST_TEST(bytes.find("\\u003c/script>\\u003cb>") != std::string::npos);
    BOOST_TEST(bytes.find("\u202e") == std::string::npos);
    BOOST_TEST(bytes.find("\\u001b") == std::string::npos);
    for (const char* outside : {"http:", "https:", "src=", "@import", "url("})
        BOOST_TEST_CONTEXT(outside) { BOOST_TEST(bytes.find(outside) == std::string::npos); }
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
    BOOST_TEST(box.run({"start"}).status == 0);
    const auto due = json_at(box.run({"status", "--json"}).out, "/units/2/next_at").value_or("?");
    BOOST_TEST(box.run({"check", "--next", "1"}).out.find(due + "  often\n") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
