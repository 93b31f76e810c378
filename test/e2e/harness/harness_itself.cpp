// Tests of the harness itself, which all other tests rely on.

#include <boost/test/unit_test.hpp>

#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(harness_itself)

BOOST_AUTO_TEST_CASE(run_reports_status_output_and_input) {
    sandbox box;
    run_options options;
    options.input = "hello\n";
    const auto result = box.shell("cat; echo no >&2; exit 7", options);
    BOOST_TEST(result.status == 7);
    BOOST_TEST(result.out == "hello\n");
    BOOST_TEST(result.err == "no\n");
}

BOOST_AUTO_TEST_CASE(run_reports_the_signal) {
    sandbox box;
    BOOST_TEST(box.shell("kill -9 $$").signal == 9);
}

BOOST_AUTO_TEST_CASE(a_pipe_that_stays_open_fails_at_the_deadline) {
    sandbox box;
    run_options options;
    options.limit = 300ms;
    BOOST_CHECK_THROW(box.shell("sleep 20 & exit 0", options), test_failure);
    BOOST_TEST(wait_until([&] { return box.processes().empty(); }));
}

BOOST_AUTO_TEST_CASE(processes_are_found_after_they_left_their_session) {
    sandbox box;
    box.expect_leftovers();
    box.shell("setsid -f sleep 30 >/dev/null 2>&1");
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }));
}

BOOST_AUTO_TEST_CASE(lines_are_read_as_they_come) {
    sandbox box;
    run_options options;
    options.program = "/bin/cat";
    options.keep_stdin = true;
    auto cat = box.start({}, options);
    cat.write_line("one");
    BOOST_TEST(cat.read_line(5s).value() == "one");
    cat.close_stdin();
    BOOST_TEST(!cat.read_line(5s).has_value());
    BOOST_TEST(cat.wait().status == 0);
}

BOOST_AUTO_TEST_CASE(the_environment_is_the_sandboxes_own) {
    sandbox box;
    run_options options;
    options.env = {{"LANG", std::nullopt}, {"EXTRA", "x"}};
    const auto env = box.shell("env | sort; type -p hob", options);
    BOOST_TEST(env.out.find("HOB_RUNTIME_DIR=" + box.root()) != std::string::npos);
    BOOST_TEST(env.out.find("EXTRA=x\n") != std::string::npos);
    BOOST_TEST(env.out.find("\nLANG=") == std::string::npos);
    BOOST_TEST(env.out.find(box.root() + "/bin/hob\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(another_user_owns_and_runs_in_its_own_sandbox) {
    if (!require_root()) return;
    sandbox_options other;
    other.uid = 65534;
    sandbox box(other);
    BOOST_TEST(box.shell("id -u; touch here && echo made").out == "65534\nmade\n");
}

BOOST_AUTO_TEST_CASE(json_values_are_found_by_pointer) {
    BOOST_TEST(json_at(R"({"a":[{"b":"x\n"},2]})", "/a/0/b").value() == "x\n");
    BOOST_TEST(json_at(R"({"a":[{"b":"x"},2]})", "/a/1").value() == "2");
    BOOST_TEST(!json_at("{", "/a").has_value());
    BOOST_TEST(!json_at("{}", "/a").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
