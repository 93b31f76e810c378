#include <boost/test/unit_test.hpp>

#include <signal.h>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

std::string runs_of(sandbox& box) { return box.run({"runs", "t", "-n", "all", "--json"}).out; }

std::size_t ok(sandbox& box) { return count(runs_of(box), "\"state\":\"ok\""); }

bool is_watching(sandbox& box, std::size_t times = 1) {
    return count(slurp(box.daemon_log()), "\"msg\":\"watching\"") >= times;
}

// A project whose task writes down what it was told, once it watches.
void watching(sandbox& box, const std::string& more = {},
              const std::string& run = "printf '%s\\n--\\n' \"$HOB_CHANGED\" >> $OUT") {
    box.set_env("OUT", box.root() + "/out");
    box.shell("mkdir -p src");
    box.config("[task.t]\nrun = ['sh', '-c', '''" + run +
               "''']\nwatch = [\"src/**\", \"*.txt\"]\ndebounce = \"200ms\"\n" + more);
    BOOST_TEST(box.run({"start"}).status == 0);
    BOOST_TEST(wait_until([&] { return is_watching(box); }));
}

// Exactly so many runs, and no further one.
void expect_runs(sandbox& box, std::size_t number) {
    BOOST_TEST(wait_until([&] { return ok(box) >= number; }, 20s));
    let_pass(700ms);
    BOOST_TEST(ok(box) == number);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(watch)

BOOST_AUTO_TEST_CASE(U10_one_run_after_the_last_of_many_changes) {
    sandbox box;
    watching(box);
    box.shell("for i in $(seq " + std::to_string(scaled(5000)) + "); do echo $i > src/f$i.c; done");
    expect_runs(box, 1);
    BOOST_TEST(json_at(runs_of(box), "/0/trigger").value_or("") == "watch");
    box.shell("echo x > src/new && mv src/new src/f1.c");  // an atomic save
    expect_runs(box, 2);
    BOOST_TEST(slurp(box.root() + "/out").ends_with("src/f1.c\nsrc/new\n--\n"));
    box.shell("echo x > top.txt; echo y > other.md; mkdir elsewhere; echo z > elsewhere/a.txt");
    expect_runs(box, 3);
    BOOST_TEST(slurp(box.root() + "/out").ends_with("--\ntop.txt\n--\n"));
}

BOOST_AUTO_TEST_CASE(U10_folders_come_and_go_with_what_is_in_them) {
    sandbox box;
    watching(box);
    box.shell("mkdir -p tmp/a/b && echo x > tmp/a/b/one && mv tmp/a src/a");
    expect_runs(box, 1);
    BOOST_TEST(slurp(box.root() + "/out").ends_with("src/a/b/one\n--\n"));
    box.shell("echo y > src/a/b/one");
    expect_runs(box, 2);
    box.shell("mv src/a src/c; echo z >> src/c/b/one");
    expect_runs(box, 3);
    box.shell("rm -r src/c");
    expect_runs(box, 4);
    box.shell("mkdir -p src/c/b; echo z > src/c/b/one");
    expect_runs(box, 5);
    // The folder of the pattern itself.
    box.shell("rm -r src; mkdir src; echo x > src/again");
    BOOST_TEST(wait_until([&] { return ok(box) >= 6; }));
    let_pass(700ms);
    const auto before = ok(box);
    box.shell("echo y > src/again");
    expect_runs(box, before + 1);
    box.shell("ln -s .. src/loop; echo z > src/again");
    expect_runs(box, before + 2);
}

BOOST_AUTO_TEST_CASE(U10_a_change_during_a_run_gives_exactly_one_more_and_ignored_output_none) {
    sandbox box;
    watching(box, "ignore = [\"src/out/**\"]\n",
             "mkdir -p src/out; echo x > src/out/made; echo run >> $OUT; while [ -e $OUT.hold ]; do sleep "
             "0.05; done");
    box.shell("touch $OUT.hold; echo 1 > src/a");
    BOOST_TEST(wait_until([&] { return slurp(box.root() + "/out") == "run\n"; }));
    box.shell("echo 2 > src/a; sleep 0.4; echo 3 > src/b; sleep 0.4; rm $OUT.hold");
    expect_runs(box, 2);
}

BOOST_AUTO_TEST_CASE(U10_gitignore_nested_and_edited_live) {
    sandbox box;
    box.shell("mkdir -p src/gen src/keep; echo 'gen/' > src/.gitignore; echo '*.o' > .gitignore");
    watching(box);
    box.shell("echo x > src/gen/a; echo x > src/a.o");
    let_pass(600ms);
    BOOST_TEST(ok(box) == 0u);
    box.shell(": > src/.gitignore");
    expect_runs(box, 1);
    box.shell("echo y > src/gen/a");
    expect_runs(box, 2);
    box.shell("echo 'keep/' > src/.gitignore");
    expect_runs(box, 3);
    box.shell("echo y > src/keep/a");
    let_pass(600ms);
    BOOST_TEST(ok(box) == 3u);
}

BOOST_AUTO_TEST_CASE(U10_more_changes_than_the_kernel_keeps_give_a_run_and_what_came_meanwhile_is_watched) {
    sandbox box;
    watching(box);
    const pid_t daemon = box.daemon_pid();
    BOOST_REQUIRE(::kill(daemon, SIGSTOP) == 0);
    const int kept = std::stoi(slurp("/proc/sys/fs/inotify/max_queued_events"));
    const auto made = box.shell("mkdir src/new; seq " + std::to_string(kept) +
                                " | (cd src && xargs touch); mkdir src/last");
    BOOST_TEST(made.status == 0);
    BOOST_REQUIRE(::kill(daemon, SIGCONT) == 0);
    expect_runs(box, 1);
    BOOST_TEST(count(slurp(box.daemon_log()), "changes came faster than they could be read") == 1u);
    box.shell("echo x > src/last/a");
    expect_runs(box, 2);
}

BOOST_AUTO_TEST_CASE(U10_where_the_kernel_watches_no_more_folders_the_files_are_looked_at) {
    sandbox box;
    box.set_env("OUT", box.root() + "/out");
    box.shell("for i in 1 2 3 4 5 6 7 8; do mkdir -p src/$i; done");
    box.config("[task.t]\nrun = ['sh', '-c', 'echo \"$HOB_CHANGED\" >> $OUT']\nwatch = [\"src/**\"]\n");
    const auto begun = box.shell(
        "unshare --user --map-root-user sh -c "
        "'echo 4 > /proc/sys/user/max_inotify_watches && hob start'");
    if (begun.status != 0) {
        BOOST_TEST_MESSAGE("no user namespace is to be had here: " << begun.err);
        return;
    }
    BOOST_TEST(wait_until([&] { return is_watching(box); }));
    BOOST_TEST(slurp(box.daemon_log()).find("not all folders can be watched") != std::string::npos);
    box.shell("echo x > src/8/a");
    BOOST_TEST(wait_until([&] { return ok(box) == 1; }, 20s));
    BOOST_TEST(slurp(box.root() + "/out") == "src/8/a\n");
    let_pass(3s);
    BOOST_TEST(ok(box) == 1u);
}

// What is written behind a FUSE file system, or by another host into a network one, gives no event.
BOOST_AUTO_TEST_CASE(U10_where_the_kernel_does_not_see_all_changes_the_files_are_looked_at) {
    sandbox box;
    const auto mounted = box.shell("mkdir -p real/src seen && bindfs real seen");
    if (mounted.status != 0) {
        BOOST_TEST_MESSAGE("no FUSE is to be had here: " << mounted.err);
        return;
    }
    box.write("real/hob.toml", "[task.t]\nrun = ['true']\nwatch = [\"src/**\"]\n");
    const auto runs = [&] {
        return count(box.shell("cd seen && hob runs t --json").out, "\"state\":\"ok\"");
    };
    BOOST_TEST(box.shell("cd seen && hob start").status == 0);
    const auto log = [&] {
        return box.shell("cat \"$(cd seen && hob status --json | sed 's/.*\"log\":\"//; s/\".*//')\"").out;
    };
    BOOST_TEST(wait_until([&] { return log().find("not all folders can be watched") != std::string::npos; }));
    BOOST_TEST(wait_until([&] { return log().find("\"msg\":\"watching\"") != std::string::npos; }));
    box.write("real/src/a", "x");
    BOOST_TEST(wait_until([&] { return runs() == 1; }, 20s));
    box.shell("cd seen && hob shutdown");
    BOOST_TEST(box.shell("fusermount -u seen").status == 0);
}

BOOST_AUTO_TEST_CASE(U43_only_a_change_of_content_size_time_or_name_fires) {
    sandbox box;
    box.shell(
        "mkdir -p src; echo one > src/a; echo two > src/b; python3 -c 'import sqlite3; "
        "c = sqlite3.connect(\"src/db\"); c.execute(\"CREATE TABLE t (x)\"); c.commit()'");
    watching(box);
    box.shell(
        "touch -a src/a; chmod 640 src/a; chown $(id -u) src/a; : >> src/a; cat src/b > /dev/null; "
        "python3 -c 'import os; os.close(os.open(\"src/a\", os.O_RDWR))'; "
        "for i in 1 2 3 4 5; do python3 -c 'import sqlite3; "
        "print(sqlite3.connect(\"src/db\").execute(\"SELECT * FROM t\").fetchall())'; done; ln src/a hard; "
        "rm hard");
    expect_runs(box, 0);
    box.shell("touch -m -d '2001-02-03' src/a");
    expect_runs(box, 1);
    BOOST_TEST(slurp(box.root() + "/out") == "src/a\n--\n");
    box.shell("python3 -c 'f = open(\"src/b\", \"r+\"); f.write(\"TWO\")'");
    expect_runs(box, 2);
    box.shell("truncate -s 1 src/b");
    expect_runs(box, 3);
    box.shell(
        "python3 -c 'import mmap; f = open(\"src/a\", \"r+b\"); m = mmap.mmap(f.fileno(), 0); m[0:1] = "
        "b\"X\"; m.flush(); "
        "m.close(); f.close()'");
    expect_runs(box, 4);
    box.shell("mv src/b src/c");
    expect_runs(box, 5);
    BOOST_TEST(slurp(box.root() + "/out").ends_with("--\nsrc/b\nsrc/c\n--\n"));
}

BOOST_AUTO_TEST_CASE(U26_every_pattern_works_or_is_refused_by_check) {
    const auto refused = [](const std::string& pattern, const std::string& key) {
        sandbox box;
        box.config("[task.t]\nrun = ['true']\nwatch = ['src']\n" + key + " = ['" + pattern + "']\n");
        return box.run({"check"}).status == 2;
    };
    for (const char* pattern :
         {"../x", "a/../../x", "/tmp/**", "~/x", "!x", "*.{ts,tsx", "{a}", "*/../x", ""})
        BOOST_TEST(refused(pattern, "ignore"), pattern);
    sandbox box;
    box.config("[task.t]\nrun = ['true']\nwatch = ['../x']\n");
    const auto check = box.run({"check"});
    BOOST_TEST(
        check.err.find("hob.toml:3:10': 'watch' in [task.t] has a pattern that leads out of the root") !=
            std::string::npos,
        check.err);
    const std::pair<std::string, std::string> works[] = {
        {".", "deep/er/f"},      {"./", "f"},
        {"./src/x", "src/x"},    {"a/../b", "b"},
        {"*.{ts,tsx}", "f.tsx"}, {"{src,lib}/{a,b*}.c", "lib/b2.c"},
        {"src/", "src/f"}};
    for (const auto& [pattern, file] : works) {
        sandbox project;
        project.shell("mkdir -p deep/er src lib a");
        project.config("[task.t]\nrun = ['true']\nwatch = ['" + pattern + "']\ndebounce = '10ms'\n");
        BOOST_TEST(project.run({"start"}).status == 0);
        BOOST_TEST(wait_until([&] { return is_watching(project); }));
        project.shell("echo x > " + file);
        BOOST_TEST(wait_until([&] { return ok(project) >= 1; }, 20s), pattern);
        BOOST_TEST(json_at(runs_of(project), "/0/cause").value_or("") == file);
    }
}

BOOST_AUTO_TEST_CASE(U26_links_to_folders_inside_the_root_are_followed_once) {
    sandbox box;
    box.shell("mkdir -p real/sub src; ln -s ../real src/link; ln -s . real/self; ln -s / src/out");
    watching(box);
    box.shell("echo x > real/sub/f");
    expect_runs(box, 1);
    BOOST_TEST(slurp(box.root() + "/out") == "src/link/sub/f\n--\n");
    box.shell("mkdir more; ln -s ../more src/later");
    expect_runs(box, 2);
    box.shell("echo x > more/g");
    expect_runs(box, 3);
    BOOST_TEST(slurp(box.root() + "/out").ends_with("--\nsrc/later/g\n--\n"));
}

BOOST_AUTO_TEST_CASE(U26_a_task_that_writes_into_its_own_watch_is_held_and_says_which_path) {
    sandbox box;
    watching(box, "", "date +%N > src/own.log");
    box.shell("echo x > src/a");
    const auto state = [&](const std::string& member) {
        return json_at(box.run({"status", "--json"}).out, "/units/0/" + member).value_or("");
    };
    BOOST_TEST(wait_until([&] { return state("state") == "held"; }, 30s));
    BOOST_TEST(state("detail").find("'src/own.log'") != std::string::npos, state("detail"));
    const auto before = ok(box);
    BOOST_TEST(before <= 11u);
    BOOST_TEST(slurp(box.daemon_log()).find("its runs change what it watches") != std::string::npos);
    box.shell("echo y > src/a");
    let_pass(700ms);
    BOOST_TEST(ok(box) == before);
    BOOST_TEST(box.run({"start", "t"}).status == 0);
    BOOST_TEST(wait_until([&] { return is_watching(box, 2); }));
    box.shell("echo z > src/a");
    BOOST_TEST(wait_until([&] { return ok(box) > before; }));
}

BOOST_AUTO_TEST_CASE(U35_a_file_name_with_a_newline_forges_no_path) {
    sandbox box;
    watching(box);
    box.shell("echo x > \"$(printf 'src/a\\nforged')\"; echo y > src/b");
    expect_runs(box, 1);
    BOOST_TEST(slurp(box.root() + "/out") == "src/b\n--\n");
    BOOST_TEST(slurp(box.daemon_log()).find("paths with a newline are left out") != std::string::npos);
    BOOST_TEST(json_at(runs_of(box), "/0/cause").value_or("") == "src/b and 1 more");
}

BOOST_AUTO_TEST_SUITE_END()
