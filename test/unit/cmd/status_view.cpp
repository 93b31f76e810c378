#include "cmd/core/status_view.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

#include "cmd/core/table.hpp"
#include "util/clock.hpp"
#include "version.hpp"

using namespace hob::cmd;

namespace {

const std::string full =
    std::string(R"({"instance":"p-0123456789ab","root":"/home/me/p","daemon":{"state":"running",)") +
    R"("pid":42,"version":")" + hob::version_text +
    R"(","protocol":1,"started_at":"2026-01-01T00:00:00.000Z","uptime_ms":192000,"socket":"/r/x.sock",)"
    R"("log":"/s/daemon.log","config":"/home/me/p/hob.toml","config_state":"current","clients":1,)"
    R"("rss_kib":2560},"units":[)"
    R"({"name":"calc","kind":"worker","state":"warm","pid":43,"since":null,"restarts":0,"exit":null},)"
    R"({"name":"slow","kind":"worker","state":"failed","pid":null,"since":null,"restarts":3,"exit":"7"}]})";

terminal screen(int columns, bool utf8) {
    return {.interactive = true, .color = false, .utf8 = utf8, .columns = columns};
}

std::string with(std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(status_for_people)

BOOST_AUTO_TEST_CASE(the_default_table_fits_80_columns) {
    BOOST_TEST(render_status(read_status(full), screen(80, true), false) ==
               "\u25cf hob running  pid 42  up 3m12s  2.5 MiB\n"
               "   /home/me/p\n"
               "\n"
               "   UNIT  STATE   KIND    PID  RESTARTS  LAST EXIT\n"
               "\u25cf  calc  warm    worker   43\n"
               "\u2717  slow  failed  worker              3  exit 7\n");
}

std::string task(const std::string& next_at, const std::string& last_run) {
    return R"({"daemon":{"state":"running"},"units":[{"name":"nightly","kind":"task","state":"scheduled","exit":null,)"
           R"("next_at":)" +
           next_at + R"(,"last_run":)" + last_run + "}]}";
}

BOOST_AUTO_TEST_CASE(C11_the_next_start_of_a_task_is_shown) {
    const auto in_an_hour = std::chrono::system_clock::now() + std::chrono::minutes(60);
    const std::string text = render_status(
        read_status(task("\"" + hob::util::rfc3339(in_an_hour) + "\"", "null")), screen(80, true), false);
    BOOST_TEST(text.find("NEXT") != std::string::npos, text);
    BOOST_TEST((text.find("in 1h") != std::string::npos || text.find("in 59m59s") != std::string::npos),
               text);
}

BOOST_AUTO_TEST_CASE(C11_a_task_whose_last_run_failed_is_marked) {
    const auto shown = [](const std::string& last_run) {
        return render_status(read_status(task("null", last_run)), screen(80, true), false);
    };
    BOOST_TEST(shown(R"({"state":"failed","exit":3})").find("\u2717  nightly") != std::string::npos);
    BOOST_TEST(shown(R"({"state":"failed","exit":3})").find("exit 3") != std::string::npos);
    BOOST_TEST(shown(R"({"state":"timeout","exit":null})").find("\u2717  nightly") != std::string::npos);
    BOOST_TEST(shown(R"({"state":"ok","exit":0})").find("\u25cb  nightly") != std::string::npos);
    BOOST_TEST(shown("null").find("\u25cb  nightly") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(C02_20_columns_in_ascii) {
    const std::string text = render_status(read_status(full), screen(20, false), false);
    BOOST_TEST(text.find("*  calc  warm\n") != std::string::npos);
    BOOST_TEST(text.find("!  slow  failed\n") != std::string::npos);
    for (const char c : text)
        BOOST_TEST(static_cast<unsigned char>(c) < 0x80);
    std::size_t from = 0;
    while (from < text.size()) {
        const auto end = text.find('\n', from);
        BOOST_TEST(end - from <= 20u);
        from = end + 1;
    }
}

BOOST_AUTO_TEST_CASE(a_changed_configuration_and_another_version_come_with_a_hint) {
    const auto changed = read_status(with(full, R"("current")", R"("changed")"));
    BOOST_TEST(render_status(changed, screen(80, true), false).find("hob reload") != std::string::npos);
    const auto broken = read_status(with(full, R"("current")", R"("broken")"));
    BOOST_TEST(render_status(broken, screen(80, true), false).find("hob check") != std::string::npos);
    const auto older =
        read_status(with(full, std::string(R"("version":")") + hob::version_text, R"("version":"0.0.1)"));
    BOOST_TEST(render_status(older, screen(80, true), false).find("hob restart") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(missing_unknown_and_hostile_values_are_shown) {
    BOOST_TEST(render_status(read_status("{}"), screen(80, true), false).size() > 0u);
    BOOST_TEST(render_status(read_status("not json"), screen(80, true), false).size() > 0u);
    const auto hostile = read_status(with(full, "\"calc\"", R"("\u001b[2J")"));
    BOOST_TEST(render_status(hostile, screen(80, true), false).find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(ages_are_never_negative) {
    BOOST_TEST(age_of("") == "");
    BOOST_TEST(age_of("2100-01-01T00:00:00.000Z") == "0ms");
}

BOOST_AUTO_TEST_SUITE_END()
