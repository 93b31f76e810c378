// What a language server knows about the disk: changed files, many at once, the patterns that it registered,
// and what hob reports while the server has not read everything yet.

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/ioctl.h>

#include <csignal>
#include <string>
#include <vector>

#include "fixtures/clangd_project.hpp"
#include "fixtures/protocol_project.hpp"
#include "harness/sandbox.hpp"
#include "util/fd.hpp"

using namespace hob::test;

namespace {

constexpr int file_count = 100;

std::string number(int i) { return (i < 10 ? "0" : "") + std::to_string(i); }

struct with_server {
    sandbox box;
    with_server() { box.config(protocol_worker("lsp")); }
    outcome call(std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "w"});
        const auto output = box.run(words);
        BOOST_TEST(output.status == 0, output.text());
        return output;
    }
    void watchers(const std::string& method, const std::string& params) {
        call({"t/ask", R"({"method":"client/)" + method + R"(","params":)" + params + "}"});
    }
    // "name type " of each announced change, sorted by name.
    std::string announced() {
        const std::string all = call({"t/watched"}).out;
        std::string found;
        for (int i = 0; auto uri = json_at(all, "/" + std::to_string(i) + "/uri"); ++i) {
            found += uri->substr(uri->rfind('/') + 1) + " " +
                     json_at(all, "/" + std::to_string(i) + "/type").value_or("") + " ";
        }
        return found;
    }
};

// 100 functions fNN, each in a file of its own, and use.cpp, which calls them. `lines`: comment lines before
// each function.
void write_functions(sandbox& box, int lines) {
    std::string header, use = "#include \"all.hpp\"\nint use() {\n    int sum = 0;\n";
    for (int i = 0; i < file_count; ++i) {
        const std::string name = "f" + number(i);
        header += "int " + name + "();\n";
        use += "    sum += " + name + "();\n";
        std::string text = "#include \"all.hpp\"\n";
        for (int line = 0; line < lines; ++line)
            text += "//\n";
        box.write(name + ".cpp", text + "int " + name + "() { return " + std::to_string(i) + "; }\n");
    }
    box.write("all.hpp", header);
    box.write("use.cpp", use + "    return sum;\n}\n");
}

std::string location(const std::string& output, const std::string& pointer) {
    const std::string uri = json_at(output, pointer + "/uri").value_or("none");
    return uri.substr(uri.rfind('/') + 1) + ":" +
           json_at(output, pointer + "/range/start/line").value_or("?");
}

// The bytes of its standard input that a process has not read.
int unread(pid_t pid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/fd/0";
    const hob::util::unique_fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    int bytes = 0;
    return fd && ::ioctl(fd.get(), FIONREAD, &bytes) == 0 ? bytes : -1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(worker_lsp_files)

BOOST_FIXTURE_TEST_CASE(changes_are_announced_that_match_the_registered_patterns, with_server) {
    call({"t/echo", "1"});
    box.write("a.txt", "1");
    BOOST_TEST(announced() == "a.txt 1 ");
    watchers(
        "registerCapability",
        R"({"registrations":[{"id":"r1","method":"workspace/didChangeWatchedFiles","registerOptions":{"watchers":[)"
        R"({"globPattern":"**/*.{ini,cfg}"},{"globPattern":{"baseUri":"file:///other","pattern":"sub/*.md"}}]}},)"
        R"({"id":"r2","method":"workspace/didChangeWatchedFiles","registerOptions":{"watchers":[{"globPattern":"**/b.txt"}]}},)"
        R"({"id":"r3","method":"textDocument/other"}]})");
    for (const char* name : {"a.ini", "sub/b.md", "c.md", "b.txt", "a.txt"}) {
        box.shell("mkdir -p sub");
        box.write(name, "22");
    }
    BOOST_TEST(announced() == "a.txt 1 a.ini 1 b.txt 1 b.md 1 ");
    watchers(
        "unregisterCapability",
        R"({"unregisterations":[{"id":"r1","method":"workspace/didChangeWatchedFiles"},{"id":"none","method":"x"}]})");
    box.shell("rm a.ini b.txt sub/b.md");
    BOOST_TEST(announced() == "a.txt 1 a.ini 1 b.txt 1 b.md 1 b.txt 3 ");
    watchers("unregisterCapability", R"({"unregisterations":[{"id":"r2","method":"x"}]})");
    box.write("d.txt", "1");
    BOOST_TEST(announced() == "a.txt 1 a.ini 1 b.txt 1 b.md 1 b.txt 3 d.txt 1 ");
}

BOOST_FIXTURE_TEST_CASE(a_relative_pattern_is_relative_to_its_base, with_server) {
    box.shell("mkdir -p sub/deep other");
    call({"t/echo", "1"});
    const std::string uri = "file://" + box.project();
    const auto watch = [&](const std::string& base, const std::string& pattern) {
        watchers(
            "registerCapability",
            R"({"registrations":[{"id":"r","method":"workspace/didChangeWatchedFiles","registerOptions":)"
            R"({"watchers":[{"globPattern":{"baseUri":)" +
                base + R"(,"pattern":")" + pattern + R"("}}]}}]})");
    };
    watch("\"" + uri + "/sub\"", "*.md");
    for (const char* name : {"a.md", "sub/b.md", "sub/deep/c.md", "other/d.md"})
        box.write(name, "1");
    BOOST_TEST(announced() == "b.md 1 ");
    // The same registration again, with a workspace folder as its base.
    watch(R"({"name":"p","uri":")" + uri + "/other/\"}", "**/*.txt");
    for (const char* name : {"sub/e.md", "sub/e.txt", "other/f.txt"})
        box.write(name, "1");
    BOOST_TEST(announced() == "b.md 1 f.txt 1 ");
    watch("\"file:///\"", "**/g.txt");
    box.write("sub/g.txt", "1");
    BOOST_TEST(announced() == "b.md 1 f.txt 1 g.txt 1 ");
}

BOOST_FIXTURE_TEST_CASE(a_call_that_does_not_wait_for_the_servers_own_work_says_incomplete, with_server) {
    const auto progress = [](const std::string& value) {
        return std::vector<std::string>{"t/events",
                                        R"({"before":[["$/progress",{"token":"i","value":)" + value + "}]]}"};
    };
    const auto quiet = call({"t/echo", "1"});
    BOOST_TEST(quiet.err == "");
    call(progress(R"({"kind":"begin","title":"indexing","percentage":3})"));
    const auto status = box.run({"status", "w"});
    BOOST_TEST(count(status.out, "indexing 3 %") == 1u, status.out);
    const auto soon = call({"--timeout", "1s", "t/echo", "1"});
    BOOST_TEST(soon.out == "1\n");
    BOOST_TEST(soon.err == "hob: incomplete: it is still indexing 3 %\n");
    const auto silent = call({"--timeout", "1s", "-q", "t/echo", "1"});
    BOOST_TEST(silent.err == "");
    // The end of its progress ends the wait at once. Each progress is waited for once.
    call({"--timeout", "1s", "t/events",
          R"({"before":[["$/progress",{"token":"i","value":{"kind":"end"}}],)"
          R"(["$/progress",{"token":"i","value":{"kind":"begin","title":"indexing again"}}]]})"});
    auto waiting = box.start({"call", "w", "--timeout", "60s", "t/echo", "2"});
    BOOST_REQUIRE(wait_until([&] {
        return box.run({"wait", "w", "--for", "idle", "--timeout", "100ms"}).status == 4;
    }));
    auto ending = progress(R"({"kind":"end"})");
    ending.insert(ending.begin(), {"--timeout", "1s"});
    call(ending);
    const auto let_go = waiting.wait();
    BOOST_TEST(let_go.out == "2\n");
    BOOST_TEST(let_go.err == "");
    BOOST_TEST(let_go.elapsed < 25s);
}

BOOST_FIXTURE_TEST_CASE(progress_that_never_began_is_not_waited_for, with_server) {
    call({"t/echo", "1"});
    const auto tell = [&](const std::string& all) { call({"t/events", R"({"before":[)" + all + "]}"}); };
    const auto progress = [](const std::string& token, const std::string& value) {
        return R"(["$/progress",{"token":)" + token + R"(,"value":)" + value + "}]";
    };
    tell(progress(R"("i")", R"({"kind":"report","percentage":3})") + "," +
         progress("7", R"({"kind":"full","items":[]})") + "," +
         // Of a call that was cancelled.
         progress(R"("hob-4711")", R"({"kind":"begin","title":"late"})"));
    const auto soon = call({"--timeout", "10s", "t/echo", "1"});
    BOOST_TEST(soon.err == "");
    BOOST_TEST(soon.elapsed < 4s);
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += progress(std::to_string(i), R"({"kind":"begin","title":"many"})") + ",";
    tell(many + progress("999", R"({"kind":"report"})"));
    std::string ends;
    for (int i = 0; i < 100; ++i)
        ends += progress(std::to_string(i), R"({"kind":"end"})") + ",";
    call(
        {"--timeout", "1s", "t/events", R"({"before":[)" + ends + progress("7", R"({"kind":"end"})") + "]}"});
    BOOST_TEST(call({"--timeout", "1s", "t/echo", "1"}).err == "");
}

BOOST_FIXTURE_TEST_CASE(the_end_of_the_server_ends_every_wait_for_it, with_server) {
    const auto ends = [&](const std::vector<std::string>& words, bool stopped) {
        const pid_t pid = static_cast<pid_t>(std::stol(call({"--timeout", "1s", "t/pid"}).out));
        if (words.front() == "t/echo") {
            call({"--timeout", "1s", "t/events",
                  R"({"before":[["$/progress",{"token":"i","value":{"kind":"begin"}}]]})"});
        }
        std::vector<std::string> all = {"call", "w", "--timeout", "120s"};
        all.insert(all.end(), words.begin(), words.end());
        auto waiting = box.start(all);
        BOOST_REQUIRE(wait_until([&] {
            return box.run({"wait", "w", "--for", "idle", "--timeout", "100ms"}).status == 4;
        }));
        if (stopped)
            BOOST_TEST(box.run({"stop", "w"}).status == 0);
        else
            ::kill(pid, SIGKILL);
        const auto ended = waiting.wait();
        BOOST_TEST(ended.status != 0, ended.text());
        BOOST_TEST(ended.err.find(stopped ? "it was stopped meanwhile"
                                          : "the worker was killed by signal 9 (KILL)") != std::string::npos,
                   ended.err);
        BOOST_TEST(ended.elapsed < 25s);
    };
    ends({"t/echo", "1"}, false);
    ends({"t/echo", "1"}, true);
}

BOOST_FIXTURE_TEST_CASE(malformed_diagnostics_are_ignored, with_server) {
    box.write("a.txt", "1");
    const std::string uri = "file://" + box.project() + "/a.txt";
    call({"--timeout", "1s", "t/echo", "file=a.txt"});
    const auto publish = [&](const std::string& diagnostics) {
        call({"--timeout", "1s", "t/events",
              R"({"before":[["textDocument/publishDiagnostics",{"uri":")" + uri + "\"" + diagnostics +
                  "}]]}"});
    };
    publish("");
    publish(R"(,"diagnostics":null)");
    publish(R"(,"diagnostics":[{"message":"right"}])");
    publish(R"(,"diagnostics":{"message":"wrong"})");
    const auto output = call({"--timeout", "20s", "textDocument/diagnostic", "file=a.txt"});
    BOOST_TEST(json_at(output.out, "/items/0/message").value_or("") == "right", output.text());
}

BOOST_AUTO_TEST_CASE(answers_match_the_disk_after_a_switch_of_branches_that_changes_a_hundred_files) {
    if (!require_program("clangd-14") || !require_program("git")) return;
    sandbox box;
    std::vector<std::string> files = {"use.cpp", "g07.cpp"};
    for (int i = 0; i < file_count; ++i)
        files.push_back("f" + number(i) + ".cpp");
    make_clangd_project(box, files);
    write_functions(box, 0);
    const std::string git = "git -c user.name=t -c user.email=t@t -c init.defaultBranch=main ";
    const auto made = box.shell(git + "init -q . && echo .cache > .gitignore && " + git + "add -A && " + git +
                                "commit -qm one && " + git + "switch -qc other");
    BOOST_REQUIRE_MESSAGE(made.status == 0, made.text());
    write_functions(box, 5);
    const auto other =
        box.shell(git + "mv f07.cpp g07.cpp && sed -i 's/f50/h50/' f50.cpp all.hpp use.cpp && " + git +
                  "add -A && " + git + "commit -qm two && " + git + "switch -q main");
    BOOST_REQUIRE_MESSAGE(other.status == 0, other.text());

    const auto defined = [&](int i) {
        return location(call_clangd(box, {"textDocument/definition", "file=use.cpp",
                                          "line=" + std::to_string(4 + i), "col=12"}),
                        "/0");
    };
    const auto symbols = [&](const std::string& name) {
        const std::string all = call_clangd(box, {"workspace/symbol", "query=" + name});
        return json_at(all, "/0/name").value_or("none") + " " + location(all, "/0/location");
    };
    // The declaration, the definition and the use of f33.
    const auto references = [&](int lines) {
        const std::string all = call_clangd(
            box, {"textDocument/references", "file=f33.cpp", "line=" + std::to_string(lines + 2), "col=5"});
        std::string places;
        for (int i = 0; json_at(all, "/" + std::to_string(i)); ++i)
            places += location(all, "/" + std::to_string(i)) + " ";
        return places;
    };
    for (const bool on_main : {true, false, true, false}) {
        box.shell("git switch -q " + std::string(on_main ? "main" : "other"));
        const int lines = on_main ? 0 : 5;
        const std::string line = std::to_string(lines + 1);
        BOOST_TEST_CONTEXT("on " << (on_main ? "main" : "other")) {
            for (const int i : {0, 13, 31, 32, 33, 64, 65, 77, 99})
                BOOST_TEST(defined(i) == "f" + number(i) + ".cpp:" + line);
            BOOST_TEST(defined(7) == (on_main ? "f07.cpp:" : "g07.cpp:") + line);
            BOOST_TEST(symbols("f88") == "f88 f88.cpp:" + line);
            BOOST_TEST(symbols("f50") == (on_main ? "f50 f50.cpp:" + line : "none none:?"));
            BOOST_TEST(symbols("h50") == (on_main ? "none none:?" : "h50 f50.cpp:" + line));
            const std::string places = references(lines);
            BOOST_TEST(count(places, " ") == 3u, places);
            for (const std::string& each :
                 {"f33.cpp:" + line, std::string("all.hpp:33"), std::string("use.cpp:36")})
                BOOST_TEST(count(places, each + " ") == 1u, places);
        }
    }
    BOOST_TEST(json_at(box.run({"status", "--json", "clangd"}).out, "/units/0/restarts").value_or("") == "0");
}

BOOST_AUTO_TEST_CASE(W07_an_interrupted_call_is_cancelled_at_a_real_server) {
    if (!require_program("clangd-14")) return;
    sandbox box;
    make_clangd_project(box, {"a.cpp"});
    // Once it has published, the server is idle: only the request is written to it, and no call waits.
    box.shell("sed -i 's/--log=error/--log=info/; s/--background-index/--background-index=false/' hob.toml");
    box.write("a.cpp", "int f() { return 1; }\n");
    call_clangd(box, {"textDocument/diagnostic", "file=a.cpp"});
    const pid_t pid = static_cast<pid_t>(
        std::stol(json_at(box.run({"status", "--json", "clangd"}).out, "/units/0/pid").value_or("0")));
    BOOST_REQUIRE(pid > 0);
    // Stop it, so that the request is unread when the caller goes away.
    ::kill(pid, SIGSTOP);
    BOOST_REQUIRE(wait_until([&] { return proc_status(pid, "State").starts_with("T"); }));
    auto waiting = box.start({"call", "clangd", "workspace/symbol", "query=f"});
    BOOST_TEST(wait_until([&] { return unread(pid) > 0; }));
    const int unread_before = unread(pid);
    waiting.signal(SIGINT);
    waiting.wait();
    BOOST_TEST(wait_until([&] { return unread(pid) > unread_before; }));
    ::kill(pid, SIGCONT);
    BOOST_TEST(wait_until([&] { return count(box.run({"logs", "clangd"}).out, "$/cancelRequest") == 1u; }));
    BOOST_TEST(count(call_clangd(box, {"workspace/symbol", "query=f"}), "a.cpp") == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
