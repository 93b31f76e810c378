#include "util/log/log.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <locale>
#include <sstream>
#include <stdexcept>

#include "harness/private_tmpfs.hpp"
#include "util/clock.hpp"
#include "util/fd.hpp"
#include "util/json/json_text.hpp"

namespace fs = std::filesystem;

namespace hob {  // a suite named log would clash with ::log

using util::field;
using util::level;
using util::log_options;

namespace {

struct place {
    place() {
        char name[] = "/tmp/hob-log-XXXXXX";
        root = ::mkdtemp(name);
        options.file = root + "/daemon.log";
    }
    ~place() {
        util::log_setup({});
        fs::remove_all(root);
    }

    std::string text() const {
        std::ostringstream read;
        read << std::ifstream(options.file, std::ios::binary).rdbuf();
        return read.str();
    }
    std::vector<std::string> lines() const {
        std::vector<std::string> all;
        std::istringstream read(text());
        for (std::string line; std::getline(read, line);)
            all.push_back(line);
        return all;
    }

    std::string root;
    log_options options;
};

std::string member(const std::string& line, const std::string& key) {
    const auto members = util::json_object_members(line);
    if (!members) return "(not JSON)";
    for (const auto& one : *members) {
        if (one.key == key) return util::json_unquote(one.value).value_or(std::string(one.value));
    }
    return "(none)";
}

// Returns what `body` writes to stderr.
std::string stderr_of(const std::function<void()>& body) {
    auto ends = util::make_pipe();
    const int saved = ::dup(STDERR_FILENO);
    ::dup2(ends.write.get(), STDERR_FILENO);
    body();
    ::dup2(saved, STDERR_FILENO);
    ::close(saved);
    ends.write.reset();
    std::string said;
    char chunk[4096];
    for (ssize_t n = 0; (n = ::read(ends.read.get(), chunk, sizeof chunk)) > 0;) {
        said.append(chunk, static_cast<std::size_t>(n));
    }
    return said;
}

std::string state_of(const std::string& text) {
    const auto why = util::bad_levels(text);
    return why ? *why : "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log)

BOOST_AUTO_TEST_CASE(without_setup_nothing_is_logged) {
    BOOST_TEST(!util::log_enabled(level::fatal, "x"));
    util::log(level::fatal, "x", "to nobody");
    BOOST_TEST(util::log_problem() == "");
}

BOOST_AUTO_TEST_CASE(a_record_is_a_line_of_json_with_its_fields) {
    place here;
    util::log_setup(here.options);
    util::log(
        level::warning, "unit", "worker \"x\" died",
        {field("unit", "db"), field("pid", 12), field("core", true), field("path", std::string("/a\nb"))});
    const auto lines = here.lines();
    BOOST_REQUIRE(lines.size() == 1u);
    BOOST_TEST(util::parse_rfc3339(member(lines[0], "ts")).has_value());
    const std::string expected =
        R"("level":"warning","channel":"unit","msg":"worker \"x\" died","unit":"db","pid":12,"core":true,"path":"/a\nb"})";
    BOOST_TEST(lines[0].ends_with(expected), lines[0]);
}

BOOST_AUTO_TEST_CASE(invalid_utf8_does_not_break_the_line) {
    place here;
    util::log_setup(here.options);
    util::log(level::info, "unit", "bad \xff\xfe bytes", {field("path", "\xc3")});
    BOOST_TEST(member(here.lines().at(0), "msg") == "bad \uFFFD\uFFFD bytes");
}

BOOST_AUTO_TEST_CASE(a_long_text_is_cut_between_characters_and_stays_json) {
    place here;
    util::log_setup(here.options);
    std::string text = "x";
    for (int i = 0; i < 100000; ++i)
        text += "€";
    util::log(level::info, "unit", text, {field("value", text)});
    const auto lines = here.lines();
    BOOST_REQUIRE(lines.size() == 1u);
    BOOST_TEST(lines[0].size() < 20u << 10);
    BOOST_TEST(member(lines[0], "msg").ends_with("€…"));
}

BOOST_AUTO_TEST_CASE(levels_apply_to_all_or_to_one_channel) {
    place here;
    here.options.levels = "warning, ipc=debug,unit=off";
    util::log_setup(here.options);
    BOOST_TEST(util::log_enabled(level::debug, "ipc"));
    BOOST_TEST(!util::log_enabled(level::trace, "ipc"));
    BOOST_TEST(!util::log_enabled(level::info, "lifecycle"));
    BOOST_TEST(util::log_enabled(level::warning, "lifecycle"));
    BOOST_TEST(!util::log_enabled(level::fatal, "unit"));
    util::log(level::debug, "ipc", "kept");
    util::log(level::info, "lifecycle", "dropped");
    util::log(level::fatal, "unit", "dropped");
    util::log(level::error, "lifecycle", "kept too");
    BOOST_REQUIRE(here.lines().size() == 2u);
    here.options.levels = "";
    util::log_setup(here.options);
    BOOST_TEST(util::log_enabled(level::info, "unit"));
    BOOST_TEST(!util::log_enabled(level::debug, "ipc"));
}

BOOST_AUTO_TEST_CASE(invalid_levels_are_refused_with_a_reason) {
    for (const char* good :
         {"", " ", "info", "warn", "off", "trace,ipc=off", "ipc=debug", " info , ipc = debug "}) {
        BOOST_TEST(state_of(good) == "", good);
    }
    BOOST_TEST(state_of("loud") == "unknown level 'loud' (one of off trace debug info warning error fatal)");
    BOOST_TEST(state_of("info,ipc=loud").starts_with("unknown level 'loud'"));
    BOOST_TEST(state_of("info,").starts_with("unknown level ''"));
    BOOST_TEST(state_of("info,debug") == "two levels for all channels, the second 'debug'");
    BOOST_TEST(state_of("=debug") == "'' is no channel's name");
    BOOST_TEST(state_of("IPC=debug") == "'IPC' is no channel's name");
    BOOST_TEST(state_of("INFO") != "");
}

BOOST_AUTO_TEST_CASE(a_valid_HOB_LOG_overrides_the_configuration) {
    ::unsetenv("HOB_LOG");
    BOOST_TEST(util::effective_levels("error", "HOB_LOG") == "error");
    ::setenv("HOB_LOG", "debug", 1);
    BOOST_TEST(util::effective_levels("error", "HOB_LOG") == "debug");
    ::setenv("HOB_LOG", "loud", 1);
    BOOST_TEST(util::effective_levels("error", "HOB_LOG") == "error");
    ::setenv("HOB_LOG", "", 1);
    BOOST_TEST(util::effective_levels("error", "HOB_LOG") == "error");
    ::unsetenv("HOB_LOG");
}

BOOST_AUTO_TEST_CASE(a_second_setup_replaces_the_sinks) {
    place here;
    util::log_setup(here.options);
    util::log(level::info, "x", "one");
    here.options.json = false;
    util::log_setup(here.options);
    util::log(level::info, "x", "two", {field("a", 1), field("b", "c d"), field("e", "")});
    const auto lines = here.lines();
    BOOST_REQUIRE(lines.size() == 2u);
    BOOST_TEST(lines[1].ends_with(" info    x         two a=1 b=\"c d\" e=\"\""), lines[1]);
    util::log_setup({});
    BOOST_TEST(!util::log_enabled(level::fatal, "x"));
    util::log(level::fatal, "x", "three");
    BOOST_TEST(here.lines().size() == 2u);
}

BOOST_AUTO_TEST_CASE(rotates_within_its_limits) {
    place here;
    here.options.max_size = 2000;
    here.options.max_files = 3;
    util::log_setup(here.options);
    for (int i = 0; i < 500; ++i)
        util::log(level::info, "x", "some text of a record", {field("i", i)});
    std::uint64_t used = 0;
    for (const auto& entry : fs::directory_iterator(here.root))
        used += entry.file_size();
    BOOST_TEST(used <= 6000u);
    BOOST_TEST(fs::exists(here.options.file + ".2"));
    BOOST_TEST(member(here.lines().back(), "i") == "499");
}

BOOST_AUTO_TEST_CASE(stderr_gets_text_for_people) {
    place here;
    here.options.file = "";
    here.options.to_stderr = true;
    const std::string said = stderr_of([&] {
        util::log_setup(here.options);
        util::log(level::info, "unit", "two\nlines \x1b[31m", {field("pid", 12)});
    });
    BOOST_TEST(said.size() > 13u);
    BOOST_TEST(said[2] == ':');
    BOOST_TEST(said.substr(12) == " info    unit      two lines  [31m pid=12\n");
}

BOOST_AUTO_TEST_CASE(a_full_pipe_on_stderr_does_not_block_and_losses_are_reported) {
    place here;
    here.options.file = "";
    here.options.to_stderr = true;
    auto ends = util::make_pipe();
    const int saved = ::dup(STDERR_FILENO);
    ::dup2(ends.write.get(), STDERR_FILENO);
    util::log_setup(here.options);
    for (int i = 0; i < 5000; ++i)
        util::log(level::info, "unit", std::string(100, 'x'));
    char chunk[65536];
    BOOST_TEST(::read(ends.read.get(), chunk, sizeof chunk) > 0);
    util::log(level::info, "unit", "room again");
    const auto n = ::read(ends.read.get(), chunk, sizeof chunk);
    ::dup2(saved, STDERR_FILENO);
    ::close(saved);
    BOOST_REQUIRE(n > 0);
    const std::string said(chunk, static_cast<std::size_t>(n));
    BOOST_TEST(said.find(" records lost)\n") != std::string::npos);
    BOOST_TEST(said.ends_with("room again\n"));
}

BOOST_AUTO_TEST_CASE(D07_an_unwritable_file_is_reported_once_on_stderr) {
    place here;
    here.options.file = here.root + "/missing/daemon.log";
    here.options.to_stderr = true;
    const std::string said = stderr_of([&] {
        util::log_setup(here.options);
        for (int i = 0; i < 10; ++i)
            util::log(level::info, "x", "record");
    });
    const std::string problem = "cannot open '" + here.options.file + "': No such file or directory";
    BOOST_TEST(util::log_problem() == problem);
    const auto first = said.find("the log file is not written: " + problem);
    BOOST_TEST(first != std::string::npos, said);
    BOOST_TEST(said.find("the log file is not written", first + 1) == std::string::npos, said);
    fs::create_directory(here.root + "/missing");
    here.options.to_stderr = false;
    util::log_setup(here.options);
    util::log(level::info, "x", "room again");
    BOOST_REQUIRE(here.lines().size() == 2u);
    BOOST_TEST(member(here.lines()[0], "lost") == "10");
    BOOST_TEST(member(here.lines()[0], "reason") == "No such file or directory");
    BOOST_TEST(member(here.lines()[0], "level") == "warning");
    BOOST_TEST(util::log_problem() == "");
}

BOOST_AUTO_TEST_CASE(L18_a_locale_that_is_not_installed_does_not_matter) {
    place here;
    ::setenv("LC_ALL", "xx_YY.UTF-8", 1);
    BOOST_REQUIRE_THROW(std::locale(""), std::runtime_error);  // as Boost would without precautions
    here.options.to_stderr = true;
    const std::string said = stderr_of([&] {
        util::log_setup(here.options);
        util::log(level::info, "x", "grüße", {field("n", 1234567)});
    });
    ::unsetenv("LC_ALL");
    BOOST_TEST(said.ends_with(" grüße n=1234567\n"), said);
    BOOST_TEST(member(here.lines().at(0), "msg") == "grüße");
    BOOST_TEST(member(here.lines().at(0), "n") == "1234567");
}

BOOST_AUTO_TEST_CASE(syslog_gets_datagrams_and_never_blocks) {
    hob::test::check_in_private_tmpfs(64, [](const std::string& root) -> std::string {
        if (::mount(root.c_str(), "/dev", nullptr, MS_BIND, nullptr) != 0) return "no bind mount";
        log_options options;
        options.program = "hob";
        options.to_syslog = true;
        util::log_setup(options);
        util::log(level::info, "x", "nobody listens");
        const util::unique_fd syslogd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, "/dev/log");
        if (::bind(syslogd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            return "bind";
        util::log(level::error, "unit", "worker died", {field("pid", 12)});
        char datagram[8192];
        ssize_t n = ::recv(syslogd.get(), datagram, sizeof datagram, MSG_DONTWAIT);
        if (n <= 0) return "no datagram";
        const std::string first(datagram, static_cast<std::size_t>(n));
        const std::string tag = " hob[" + std::to_string(::getpid()) + "]: ";
        if (!first.starts_with("<27>") || first.find(tag) == std::string::npos) return first;
        if (!first.ends_with("unit: worker died pid=12 (1 records lost before this one)")) return first;
        for (int i = 0; i < 10000; ++i)
            util::log(level::info, "x", "nobody reads");  // must return
        int kept = 0;
        while (::recv(syslogd.get(), datagram, sizeof datagram, MSG_DONTWAIT) > 0)
            ++kept;
        util::log(level::info, "x", "read again");
        n = ::recv(syslogd.get(), datagram, sizeof datagram, MSG_DONTWAIT);
        const std::string last(datagram, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
        const std::string lost = "(" + std::to_string(10000 - kept) + " records lost before this one)";
        return last.ends_with(lost) ? "" : last + " and not " + lost;
    });
}

BOOST_AUTO_TEST_CASE(filtered_records_are_cheap) {
    place here;
    util::log_setup(here.options);
    const auto begin = std::chrono::steady_clock::now();
    int enabled = 0;
    for (int i = 0; i < 1'000'000; ++i)
        enabled += util::log_enabled(level::debug, "ipc") ? 1 : 0;
    const auto took = std::chrono::steady_clock::now() - begin;
    BOOST_TEST(enabled == 0);
    BOOST_TEST_MESSAGE("a million questions took "
                       << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace hob
