// Full disks, and damaged, locked or foreign databases.

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <string>

#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "harness/small_disk.hpp"

using namespace hob::test;

namespace {

std::string database(const sandbox& box) { return box.state_dir() + "/hob.db"; }

// Uses Python's SQLite, independent of hob's code.
outcome query(sandbox& box, const std::string& sql) {
    run_options python;
    python.program = "/usr/bin/python3";
    return box.run({"-c",
                    "import sqlite3, sys\n"
                    "db = sqlite3.connect(sys.argv[1], timeout=0)\n"
                    "print(*[row[0] for row in db.execute(sys.argv[2])])\n"
                    "db.commit()",
                    database(box), sql},
                   python);
}

// Another process that keeps the database locked until its standard input ends.
background locker(sandbox& box, const std::string& how) {
    run_options python;
    python.program = "/usr/bin/python3";
    python.keep_stdin = true;
    auto other = box.start({"-c",
                            "import sqlite3, sys\n"
                            "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n" +
                                how +
                                "print('locked', flush=True)\n"
                                "sys.stdin.read()",
                            database(box)},
                           python);
    if (other.read_line(20s).value_or("") != "locked")
        throw test_failure("the database was not locked: " + other.wait().text());
    return other;
}

bool is_held(sandbox& box) { return query(box, "SELECT count(*) FROM held").out == "1\n"; }

// A project with a worker stopped by `hob stop`, which the database must remember.
void make_project(sandbox& box) { box.config(echo_worker()); }

void serves(sandbox& box, const char* what) {
    const auto call = box.run({"call", "echo", "echo", "[1]"});
    BOOST_TEST(call.status == 0, what << ": " << call.text());
    BOOST_TEST(call.out == "[1]\n", what << ": " << call.text());
    const auto status = box.run({"status", "--json"});
    BOOST_TEST(json_at(status.out, "/daemon/state").value_or("") == "running", what << ": " << status.text());
}

// Both report that this daemon's state is only in memory, why, and what to do.
void is_shown(sandbox& box, const std::string& why, const std::string& hint) {
    const auto json = box.run({"status", "--json"});
    BOOST_TEST(json_at(json.out, "/daemon/degraded").value_or("").find(why) != std::string::npos,
               json.text());
    const auto status = box.run({"status"});
    BOOST_TEST(status.out.find("it remembers nothing after its end: cannot use '" + database(box)) !=
                   std::string::npos,
               status.text());
    const auto doctor = box.run({"doctor"});
    BOOST_TEST(doctor.status == 1, doctor.text());
    const auto at = doctor.out.find("FAIL  database");
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, doctor.text());
    const std::string line = doctor.out.substr(at, doctor.out.find('\n', at) - at);
    BOOST_TEST(line.find(why) != std::string::npos, line);
    BOOST_TEST(line.find(hint) != std::string::npos, line);
    BOOST_TEST(line.ends_with(": hob restart --daemon"), line);
}

void is_not_shown(sandbox& box) {
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/daemon/degraded").value_or("") == "null");
    BOOST_TEST(box.run({"status"}).out.find("remembers nothing") == std::string::npos);
    const auto doctor = box.run({"doctor"});
    BOOST_TEST(doctor.out.find("ok    database") != std::string::npos, doctor.text());
}

bool was_set_aside(const sandbox& box) {
    for (const auto& entry : std::filesystem::directory_iterator(box.state_dir())) {
        if (entry.path().filename().string().starts_with("hob.db.corrupt-")) return true;
    }
    return false;
}

// The newest record in a log about lost records.
int told_lost(const std::string& log) {
    const auto at = log.rfind(R"("msg":"records of this log were lost")");
    if (at == std::string::npos) return 0;
    const std::string record = log.substr(at, log.find('\n', at) - at);
    const auto number = record.find(R"("lost":)");
    return number == std::string::npos ? 0 : std::atoi(record.c_str() + number + 7);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fault_disk)

BOOST_AUTO_TEST_CASE(D06_damage_anywhere_in_database_or_journal_never_stops_a_start) {
    sandbox box;
    make_project(box);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_REQUIRE(box.run({"stop", "echo"}).status == 0);
    box.kill_daemon_and_keeper();
    const std::string db = slurp(database(box));
    const std::string wal = slurp(database(box) + "-wal");
    BOOST_REQUIRE(!db.empty());
    for (const std::string how : {"header", "middle", "cut", "wal", "wal cut", "shm", "all"}) {
        std::string bad = db, bad_wal = wal, bad_shm(32768, '\0');
        if (how == "header" || how == "all") bad.replace(0, 64, std::string(64, '\x5a'));
        if (how == "middle") bad.replace(bad.size() / 2, 3000, std::string(3000, '\xa5'));
        if (how == "cut") bad.resize(bad.size() / 2 + 7);
        if (how == "wal" || how == "all")
            bad_wal.replace(0, std::min<std::size_t>(bad_wal.size(), 5000), std::string(5000, 'w'));
        if (how == "wal cut") bad_wal.resize(bad_wal.size() / 2);
        if (how == "shm" || how == "all") bad_shm = std::string(32768, 's');
        box.write(database(box), bad);
        box.write(database(box) + "-wal", bad_wal);
        box.write(database(box) + "-shm", bad_shm);
        BOOST_TEST_CONTEXT(how) {
            const auto ping = box.run({"ping"});
            BOOST_TEST(ping.status == 0, ping.text());
            BOOST_TEST(box.run({"start", "echo"}).status == 0);
            serves(box, "after damage");
            BOOST_TEST(box.run({"stop", "echo"}).status == 0);
            BOOST_TEST(is_held(box));
            BOOST_TEST(query(box, "PRAGMA integrity_check").out == "ok\n");
            BOOST_TEST(box.run({"shutdown"}).status == 0);
        }
    }
    BOOST_TEST(was_set_aside(box));
}

BOOST_AUTO_TEST_CASE(D06_a_read_only_database_is_left_alone_and_used_again_later) {
    if (!require_root()) return;
    sandbox_options nobody;  // root ignores file modes
    nobody.uid = 54321;
    sandbox box(nobody);
    make_project(box);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_REQUIRE(box.run({"stop", "echo"}).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    const std::string before = slurp(database(box));
    ::chmod(database(box).c_str(), 0400);
    BOOST_TEST(box.run({"start", "echo"}).status == 0);
    serves(box, "read-only");
    BOOST_TEST(slurp(box.daemon_log()).find("kept in memory only") != std::string::npos);
    BOOST_TEST(slurp(box.daemon_log()).find(database(box)) != std::string::npos);
    is_shown(box, database(box), "make it readable and writable");
    BOOST_TEST(slurp(database(box)) == before);
    BOOST_TEST(!was_set_aside(box));
    ::chmod(database(box).c_str(), 0600);
    BOOST_TEST(box.run({"restart", "--daemon"}).status == 0);
    is_not_shown(box);
    BOOST_TEST(is_held(box));
}

BOOST_AUTO_TEST_CASE(D06_a_read_only_file_system_is_named_and_is_no_crash_loop) {
    if (!require_root()) return;
    sandbox box;
    make_project(box);
    small_disk disk(box.state(), 1024);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_REQUIRE(box.run({"stop", "echo"}).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    disk.read_only(true);
    BOOST_TEST(box.run({"start", "echo"}).status == 0);
    serves(box, "read-only");
    is_shown(box, database(box), "make it readable and writable");
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    disk.read_only(false);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(is_held(box));
    BOOST_TEST(!was_set_aside(box));
}

BOOST_AUTO_TEST_CASE(D06_a_database_locked_by_another_process_is_written_again_afterwards) {
    const auto held_for = std::chrono::seconds(number_from_env("HOB_TEST_LOCK_SECONDS", 4));
    sandbox box;
    make_project(box);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    {
        auto other = locker(box, "db.execute('BEGIN IMMEDIATE')\n");
        const auto until = std::chrono::steady_clock::now() + held_for;
        do {
            serves(box, "while a writer holds the lock");
            BOOST_TEST(box.run({"restart", "echo"}).elapsed < 10s);
        } while (std::chrono::steady_clock::now() < until);
    }
    BOOST_TEST(box.run({"stop", "echo"}).status == 0);
    BOOST_TEST(is_held(box));
    BOOST_TEST(slurp(box.daemon_log()).find("the database cannot be written") != std::string::npos);
    BOOST_TEST(slurp(box.daemon_log()).find("the database can be written again") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(D06_a_database_locked_at_the_start_does_not_stop_it_and_is_left_alone) {
    sandbox box;
    make_project(box);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_REQUIRE(box.run({"stop", "echo"}).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    {
        auto other = locker(box,
                            "db.execute('PRAGMA locking_mode=EXCLUSIVE')\n"
                            "db.execute('BEGIN EXCLUSIVE')\n");
        const auto start = box.run({"start", "echo"});
        BOOST_TEST(start.status == 0, start.text());
        BOOST_TEST(start.elapsed < 8s);
        serves(box, "locked");
        BOOST_TEST(slurp(box.daemon_log()).find("kept in memory only") != std::string::npos);
        is_shown(box, "database is locked", fmt::format("let pid {} finish", other.pid()));
        BOOST_TEST(box.run({"shutdown"}).status == 0);
        const auto doctor = box.run({"doctor"});
        BOOST_TEST(doctor.out.find(fmt::format("warn  database      {} is locked by pid {}", database(box),
                                               other.pid())) != std::string::npos,
                   doctor.text());
        BOOST_TEST(box.run({"ping"}).status == 0);
    }
    BOOST_TEST(!was_set_aside(box));
    is_shown(box, "database is locked", "once that is over");
    BOOST_TEST(box.run({"restart", "--daemon"}).status == 0);
    is_not_shown(box);
    BOOST_TEST(is_held(box));
}

BOOST_AUTO_TEST_CASE(D06_a_newer_schema_is_refused_by_name_and_left_alone) {
    sandbox box;
    make_project(box);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    BOOST_REQUIRE(query(box, "PRAGMA user_version = 4711").status == 0);
    const std::string before = slurp(database(box));
    const auto ping = box.run({"ping", "--json"});
    BOOST_TEST(ping.status == 1, ping.text());
    BOOST_TEST(json_at(ping.err, "/error/code").value_or("") == "version", ping.text());
    BOOST_TEST(ping.err.find(database(box)) != std::string::npos, ping.text());
    BOOST_TEST(ping.err.find("4711") != std::string::npos, ping.text());
    BOOST_TEST(wait_until([&] { return box.processes().empty(); }));  // it reports before it ends
    BOOST_TEST(slurp(database(box)) == before);
    BOOST_TEST(!was_set_aside(box));
    BOOST_TEST(!exists(box.socket()));
}

// The schema of the first release, created by its own statements.
BOOST_AUTO_TEST_CASE(D06_an_older_schema_is_read_and_keeps_its_data) {
    sandbox box;
    make_project(box);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    for (const char* suffix : {"", "-wal", "-shm"})
        ::unlink((database(box) + suffix).c_str());
    for (const char* sql : {"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
                            "CREATE TABLE process (unit TEXT NOT NULL, pid INTEGER NOT NULL, pgid INTEGER "
                            "NOT NULL, session INTEGER "
                            "NOT NULL, start_time INTEGER NOT NULL, boot_id TEXT NOT NULL, kill TEXT NOT "
                            "NULL, PRIMARY KEY (unit, "
                            "pid)) WITHOUT ROWID",
                            "CREATE TABLE held (unit TEXT PRIMARY KEY) WITHOUT ROWID",
                            "INSERT INTO meta VALUES ('consent', '1')", "INSERT INTO held VALUES ('echo')",
                            "PRAGMA user_version = 1"}) {
        const auto result = query(box, sql);
        BOOST_REQUIRE_MESSAGE(result.status == 0, result.text());
    }
    ::chmod(database(box).c_str(), 0600);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(is_held(box));
    // U34: its one consent has become one to each unit of the file.
    BOOST_TEST(query(box, "SELECT count(*) FROM meta WHERE key = 'consent'").out == "0\n");
    BOOST_TEST(query(box, "SELECT unit FROM consent").out == "echo\n");
    BOOST_TEST(!was_set_aside(box));
    BOOST_TEST(box.run({"start", "echo"}).status == 0);
    serves(box, "an older schema");
}

BOOST_AUTO_TEST_CASE(D06_D07_a_state_directory_that_is_full_from_the_start_still_serves) {
    if (!require_root()) return;
    for (const int kib : {64, 16, 8}) {
        sandbox box;
        make_project(box);
        small_disk disk(box.state(), kib);
        BOOST_TEST_CONTEXT(kib << " KiB") {
            disk.fill();
            serves(box, "full before the first start");
            is_shown(box, database(box), "once that is over");
            BOOST_TEST(box.run({"shutdown"}).status == 0);
            disk.free();
            serves(box, "once there is room");
            BOOST_TEST(box.run({"shutdown"}).status == 0);
            disk.fill();
            serves(box, "full again");
            BOOST_TEST(box.run({"restart", "--daemon"}).status == 0);
            serves(box, "after a restart");
            BOOST_TEST(box.daemon_pid() != 0);
            BOOST_TEST(box.run({"shutdown"}).status == 0);
            BOOST_TEST(box.processes().empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(D06_D07_a_disk_that_fills_up_loses_counted_log_records_but_no_state) {
    if (!require_root()) return;
    sandbox box;
    make_project(box);
    box.set_env("HOB_LOG", "debug");
    small_disk disk(box.state(), 512);
    serves(box, "with room");
    BOOST_TEST(box.run({"stop", "echo"}).status == 0);
    BOOST_TEST(box.run({"start", "echo"}).status == 0);
    BOOST_TEST(box.run({"stop", "echo"}).status == 0);
    BOOST_TEST(is_held(box));
    disk.fill();
    const pid_t daemon = box.daemon_pid();
    for (int i = 0; i < 5; ++i) {
        BOOST_TEST(box.run({"start", "echo"}).status == 0);
        serves(box, "full");
        raw_client client(box.socket());
        for (int n = 0; n < 20; ++n) {  // each is a record; some fit into the last page of the log
            client.request("1", "hob.reload");
            BOOST_TEST(json_at(client.reply(), "/result").has_value());
        }
    }
    BOOST_TEST(box.run({"status"}).status == 0);
    disk.free();
    BOOST_TEST(box.run({"reload"}).status == 0);
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(told_lost(slurp(box.daemon_log())) > 5, slurp(box.daemon_log()));
    BOOST_TEST(box.run({"stop", "echo"}).status == 0);
    BOOST_TEST(is_held(box));
    BOOST_TEST(query(box, "PRAGMA integrity_check").out == "ok\n");
    // A kill on a full disk loses no earlier data.
    disk.fill();
    ::kill(daemon, SIGKILL);
    BOOST_TEST(wait_until([&] { return !process_lives(daemon); }));
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    disk.free();
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(is_held(box));
    BOOST_TEST(!was_set_aside(box));
}

BOOST_AUTO_TEST_CASE(D07_a_full_runtime_directory_still_serves) {
    if (!require_root()) return;
    sandbox box;
    make_project(box);
    small_disk disk(box.runtime(), 64);
    serves(box, "with room");
    disk.fill();
    serves(box, "full while it runs");
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    disk.fill();  // also the space that its files had used
    serves(box, "started on a full one");
    BOOST_TEST(slurp(box.pid_file()).empty());
    const auto pid = json_at(box.run({"ping", "--json"}).out, "/pid").value_or("");
    disk.free();
    BOOST_TEST(box.run({"reload"}).status == 0);
    // Files that could not be written at the start are written later.
    BOOST_TEST(slurp(box.pid_file()) == pid + "\n");
    disk.fill();
    BOOST_TEST(box.run({"restart", "--daemon"}).status == 0);
    disk.fill();
    // Stopped (SIGSTOP) and without a pid file: reports what it can, and --now ends it.
    const pid_t daemon = std::atoi(json_at(box.run({"ping", "--json"}).out, "/pid").value_or("0").c_str());
    BOOST_REQUIRE(daemon > 1);
    ::kill(daemon, SIGSTOP);
    const auto now = box.run({"shutdown", "--now"});
    BOOST_TEST(now.status == 0, now.text());
    BOOST_TEST(!process_lives(daemon));
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(!exists(box.socket()));
    BOOST_TEST(!exists(box.pid_file()));
    BOOST_TEST(box.processes().empty());
}

BOOST_AUTO_TEST_SUITE_END()
