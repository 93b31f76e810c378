#include "unit/store/store.hpp"
#include "unit/store/consent_store.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fixtures/run_loop.hpp"
#include "harness/private_tmpfs.hpp"
#include "unit/store/run_store.hpp"
#include "unit/store/sqlite_statement.hpp"

namespace fs = std::filesystem;
using hob::test::failure_of;
using hob::test::scratch;
using database = hob::unit::store;

namespace {

std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
}

void write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

int corrupt_files(const std::string& directory) {
    int count = 0;
    for (const auto& entry : fs::directory_iterator(directory)) {
        count += entry.path().filename().string().starts_with("hob.db.corrupt-") ? 1 : 0;
    }
    return count;
}

void run_sql(const std::string& path, const char* sql) {
    sqlite3* db = nullptr;
    BOOST_REQUIRE(::sqlite3_open(path.c_str(), &db) == SQLITE_OK);
    BOOST_REQUIRE(::sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    ::sqlite3_close(db);
}

hob::unit::process_record record(const std::string& unit, pid_t pid) {
    return {unit, pid, pid, pid, 12345678901ull, "boot", hob::unit::kill_scope::group};
}

// Takes what is left of the disk.
void fill(const std::string& directory) {
    const auto fd = hob::util::open_file(directory + "/filler", O_WRONLY | O_CREAT | O_APPEND, 0600);
    const std::string page(4096, 'f');
    while (::write(fd.get(), page.data(), page.size()) > 0) {
    }
}

bool has_process(database& db, pid_t pid) {
    const auto all = db.processes();
    return std::any_of(all.begin(), all.end(), [&](const auto& each) { return each.pid == pid; });
}

// A run from its beginning to its end, with the pruning, as active_run does it.
bool keeps_a_run(database& db, const std::string& task) {
    hob::unit::run_store runs(db);
    hob::unit::run_record run;
    run.task = task;
    run.state = hob::unit::run_state::running;
    run.id = runs.add(run);
    run.state = hob::unit::run_state::ok;
    run.exit = 0;
    run.ended_at = run.started_at + std::chrono::seconds(1);
    runs.end(run, {.runs = 5, .age = {}, .size = {}});
    const auto found = runs.find(run.id);
    return found && found->state == hob::unit::run_state::ok && runs.list({}).size() <= 5;
}

// As many writes as fill the room for the log many times over. Empty, or which one failed.
std::string written_on_a_full_disk(database& db) {
    for (pid_t pid = 1; pid <= 600; ++pid) {
        db.put_process(record("unit", pid));
        if (!has_process(db, pid)) return "process " + std::to_string(pid) + " was not recorded";
        if (!keeps_a_run(db, "t")) return "run " + std::to_string(pid) + " was not recorded";
        db.transaction([&] {
            db.set_stopped_by_user("w", pid % 2 == 0);
            db.set_desired_up("w", std::vector<std::string>{"N=" + std::to_string(pid)});
        });
        const auto wish = db.desired_up("w");
        if (db.stopped_by_user("w") != (pid % 2 == 0) || !wish ||
            wish->environment->at(0) != "N=" + std::to_string(pid))
            return "wish " + std::to_string(pid) + " was not recorded";
        db.forget_process("unit", pid);
        if (has_process(db, pid)) return "process " + std::to_string(pid) + " was not forgotten";
    }
    return {};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(store)

BOOST_AUTO_TEST_CASE(what_was_put_is_there_after_reopening) {
    const scratch dir;
    const std::string path = dir.path() + "/hob.db";
    {
        database db(path);
        BOOST_TEST(!db.degraded().has_value());
        BOOST_TEST(!db.history_lost());
        hob::unit::consent_store consents(db);
        BOOST_TEST(!consents.contains({"a", "1"}));
        consents.add({{"a", "1"}});
        db.put_process(record("a", 10));
        db.put_process(record("b", 11));
        db.forget_process("a", 10);
        db.set_stopped_by_user("a", true);
    }
    database again(path);
    BOOST_TEST(hob::unit::consent_store(again).contains({"a", "1"}));
    BOOST_TEST(!hob::unit::consent_store(again).contains({"a", "2"}));
    BOOST_TEST(!hob::unit::consent_store(again).contains({"b", "1"}));
    BOOST_TEST(again.stopped_by_user("a"));
    BOOST_TEST(!again.stopped_by_user("b"));
    const auto found = again.processes();
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST(found[0].unit == "b");
    BOOST_TEST(found[0].start_time == 12345678901ull);
    BOOST_TEST((found[0].kill == hob::unit::kill_scope::group));
}

BOOST_AUTO_TEST_CASE(D06_garbage_is_set_aside_with_what_belongs_to_it) {
    const scratch dir;
    const std::string path = dir.path() + "/hob.db";
    write(path, std::string(8192, 'x'));
    database db(path);
    BOOST_TEST(!db.degraded().has_value());
    BOOST_TEST(db.history_lost());
    BOOST_TEST(bytes_of(db.set_aside()) == std::string(8192, 'x'));
    db.set_stopped_by_user("a", true);
    BOOST_TEST(db.stopped_by_user("a"));
}

BOOST_AUTO_TEST_CASE(D06_a_database_truncated_at_any_page_never_stops_a_start) {
    const scratch dir;
    const std::string path = dir.path() + "/hob.db";
    {
        database db(path);
        for (int i = 0; i < 200; ++i)
            db.put_process(record("unit" + std::to_string(i), i + 1));
    }
    const std::string whole = bytes_of(path);
    BOOST_REQUIRE(whole.size() > 8192u);
    for (std::size_t size = 0; size < whole.size(); size += 1365) {
        for (const auto& entry : fs::directory_iterator(dir.path()))
            fs::remove(entry.path());
        write(path, whole.substr(0, size));
        database db(path);
        BOOST_TEST_CONTEXT("truncated to " << size) {
            BOOST_TEST(!db.degraded().has_value());
            BOOST_TEST((db.history_lost() || db.processes().size() == 200u));
            db.set_stopped_by_user("a", true);
            BOOST_TEST(db.stopped_by_user("a"));
        }
    }
}

BOOST_AUTO_TEST_CASE(D06_an_older_schema_is_brought_up_to_date_and_keeps_what_it_has) {
    const scratch dir;
    const std::string path = dir.path() + "/hob.db";
    run_sql(path,
            "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE process (unit TEXT NOT NULL, pid INTEGER NOT NULL, pgid INTEGER NOT NULL, session "
            "INTEGER "
            "NOT NULL, start_time INTEGER NOT NULL, boot_id TEXT NOT NULL, kill TEXT NOT NULL, PRIMARY KEY "
            "(unit, "
            "pid)) WITHOUT ROWID;"
            "CREATE TABLE held (unit TEXT PRIMARY KEY) WITHOUT ROWID;"
            "INSERT INTO held VALUES ('w'); PRAGMA user_version = 1;");
    for (int opened = 0; opened < 2; ++opened) {
        database db(path);
        BOOST_TEST(!db.degraded().has_value());
        BOOST_TEST(db.stopped_by_user("w"));
        hob::unit::run_store runs(db);
        hob::unit::run_record run;
        run.task = "t";
        run.state = hob::unit::run_state::running;
        BOOST_TEST(runs.add(run) == opened + 1);
        BOOST_TEST(runs.list({}).size() == opened + 1u);
    }
}

BOOST_AUTO_TEST_CASE(what_a_worker_remembers_is_there_after_reopening_and_is_its_own) {
    const scratch dir;
    const std::string path = dir.path() + "/hob.db";
    const std::string odd("a\0b\xff", 4);
    {
        database db(path);
        db.remember("w", {"k", "old", "x"});
        db.remember("w", {"k", odd, "y"});
        db.remember("w", {"gone", "1", "x"});
        db.remember("other", {"k", "2", "x"});
        db.forget("w", "gone");
        db.forget("w", "never was");
    }
    database again(path);
    const auto found = again.memory("w");
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST(found[0].key == "k");
    BOOST_TEST(found[0].value == odd);
    BOOST_TEST(found[0].bound_to == "y");
    BOOST_TEST(again.memory("other").size() == 1u);
    BOOST_TEST(again.memory("none").empty());
}

BOOST_AUTO_TEST_CASE(D03_what_was_left_running_is_lost_and_nothing_else_changes) {
    const scratch dir;
    database db(dir.path() + "/hob.db");
    hob::unit::run_store runs(db);
    hob::unit::run_record run;
    run.task = "t";
    run.state = hob::unit::run_state::running;
    run.id = runs.add(run);
    run.state = hob::unit::run_state::ok;
    run.exit = 0;
    run.ended_at = run.started_at + std::chrono::seconds(1);
    runs.update(run);
    run.state = hob::unit::run_state::running;
    run.id = 0;
    BOOST_TEST(runs.next_id() == 2);
    runs.add(run);
    BOOST_TEST(runs.mark_running_lost() == 1);
    BOOST_TEST((runs.find(1)->state == hob::unit::run_state::ok));
    BOOST_TEST(runs.find(1)->duration_ms().value() == 1000);
    BOOST_TEST((runs.find(2)->state == hob::unit::run_state::lost));
    BOOST_TEST(!runs.find(2)->exit.has_value());
    BOOST_TEST(hob::unit::read_runs(dir.path() + "/hob.db", {}, true).size() == 2u);
    BOOST_TEST(hob::unit::read_runs(dir.path() + "/none.db", {}, true).empty());
}

BOOST_AUTO_TEST_CASE(D06_what_a_later_version_has_only_added_is_left_alone) {
    const scratch dir;
    const std::string path = dir.path() + "/hob.db";
    { const database made(path); }
    run_sql(path,
            "ALTER TABLE run ADD COLUMN later INTEGER; CREATE TABLE later (x); UPDATE meta SET value = '99' "
            "WHERE key = 'additions';");
    database db(path);
    BOOST_TEST(!db.degraded());
    BOOST_TEST(keeps_a_run(db, "t"));
    hob::unit::sqlite_statement added(db.handle(), "SELECT value FROM meta WHERE key = 'additions'");
    BOOST_REQUIRE(added.row());
    BOOST_TEST(added.text(0) == "99");
}

BOOST_AUTO_TEST_CASE(D06_a_newer_schema_is_refused_and_left_alone) {
    const scratch dir;
    const std::string path = dir.path() + "/hob.db";
    run_sql(path, "CREATE TABLE future (x); PRAGMA user_version = 99;");
    const std::string before = bytes_of(path);
    const auto failed = failure_of([&] { database db(path); });
    BOOST_TEST((failed.kind() == hob::error_kind::version));
    BOOST_TEST(bytes_of(path) == before);
    BOOST_TEST(corrupt_files(dir.path()) == 0);
}

BOOST_AUTO_TEST_CASE(D06_a_locked_database_degrades_and_is_left_alone) {
    const scratch dir;
    const std::string path = dir.path() + "/hob.db";
    sqlite3* other = nullptr;
    BOOST_REQUIRE(::sqlite3_open(path.c_str(), &other) == SQLITE_OK);
    BOOST_REQUIRE(::sqlite3_exec(other, "CREATE TABLE t (x); BEGIN EXCLUSIVE;", nullptr, nullptr, nullptr) ==
                  SQLITE_OK);
    database db(path);
    BOOST_REQUIRE(db.degraded().has_value());
    BOOST_TEST(db.degraded()->find(path) != std::string::npos);
    BOOST_TEST(db.degraded()->find("locked") != std::string::npos);
    db.set_stopped_by_user("x", true);
    BOOST_TEST(db.stopped_by_user("x"));
    ::sqlite3_close(other);
    BOOST_TEST(corrupt_files(dir.path()) == 0);
}

BOOST_AUTO_TEST_CASE(D06_a_lock_taken_later_loses_a_record_but_nothing_else) {
    const scratch dir;
    const std::string path = dir.path() + "/hob.db";
    database db(path);
    sqlite3* other = nullptr;
    BOOST_REQUIRE(::sqlite3_open(path.c_str(), &other) == SQLITE_OK);
    BOOST_REQUIRE(::sqlite3_exec(other, "BEGIN IMMEDIATE;", nullptr, nullptr, nullptr) == SQLITE_OK);
    db.put_process(record("a", 1));
    BOOST_REQUIRE(::sqlite3_exec(other, "COMMIT;", nullptr, nullptr, nullptr) == SQLITE_OK);
    ::sqlite3_close(other);
    db.put_process(record("b", 2));
    BOOST_TEST(db.processes().size() == 1u);
}

BOOST_AUTO_TEST_CASE(L12_a_directory_symlink_or_fifo_in_its_place_degrades) {
    const scratch dir;
    fs::create_directory(dir.path() + "/d");
    fs::create_symlink("/etc/passwd", dir.path() + "/l");
    BOOST_REQUIRE(::mkfifo((dir.path() + "/f").c_str(), 0600) == 0);
    for (const char* name : {"/d", "/l", "/f", "/missing/hob.db"}) {
        database db(dir.path() + name);
        BOOST_TEST_CONTEXT(name) { BOOST_TEST(db.degraded().has_value()); }
    }
}

BOOST_AUTO_TEST_CASE(D07_records_are_written_on_a_disk_that_has_filled_up) {
    hob::test::check_in_private_tmpfs(2048, [](const std::string& dir) -> std::string {
        const std::string path = dir + "/hob.db";
        {
            database db(path);
            fill(dir);
            if (auto failed = written_on_a_full_disk(db); !failed.empty()) return failed;
        }
        database again(path);  // what the log had is given back at an orderly end
        fill(dir);
        if (again.degraded()) return *again.degraded();
        if (!again.stopped_by_user("w")) return "what was written is not there";
        return written_on_a_full_disk(again);
    });
}

// The log is long and full of what the database does not have yet, of which some makes it longer.
BOOST_AUTO_TEST_CASE(D07_a_database_that_has_grown_since_the_start_has_room_for_what_its_log_holds) {
    hob::test::check_in_private_tmpfs(8192, [](const std::string& dir) -> std::string {
        for (int pages = 5; pages < 400; pages += 60) {
            database db(dir + "/hob.db");
            for (int i = 0; i < pages; ++i)
                db.remember("w", {"k" + std::to_string(i), std::string(3500, 'v'), "x"});
            fill(dir);
            auto failed = written_on_a_full_disk(db);
            fs::remove(dir + "/filler");
            if (!failed.empty()) return std::to_string(pages) + " pages: " + failed;
        }
        return {};
    });
}

BOOST_AUTO_TEST_CASE(D07_a_disk_that_was_full_at_the_opening_gives_room_once_a_write_has_succeeded) {
    hob::test::check_in_private_tmpfs(512, [](const std::string& dir) -> std::string {
        { const database first(dir + "/hob.db"); }
        const auto leave = [&](off_t bytes) {
            fs::remove(dir + "/filler");
            fill(dir);
            fs::resize_file(dir + "/filler", fs::file_size(dir + "/filler") - bytes);
        };
        leave(40 << 10);  // for the log's index, and no more
        database db(dir + "/hob.db");
        if (db.degraded()) return *db.degraded();
        fill(dir);
        db.put_process(record("a", 1001));
        if (has_process(db, 1001)) return "there was room";
        fs::remove(dir + "/filler");
        db.put_process(record("a", 1002));
        fill(dir);
        return written_on_a_full_disk(db);
    });
}

BOOST_AUTO_TEST_SUITE_END()
