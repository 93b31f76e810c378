#include "unit/store.hpp"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "fixtures/run_loop.hpp"
#include "unit/run_store.hpp"

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

}  // namespace

BOOST_AUTO_TEST_SUITE(store)

BOOST_AUTO_TEST_CASE(what_was_put_is_there_after_reopening) {
    const scratch dir;
    const std::string path = dir.path() + "/hob.db";
    {
        database db(path);
        BOOST_TEST(!db.degraded().has_value());
        BOOST_TEST(!db.history_lost());
        BOOST_TEST(!db.consented());
        db.set_consented();
        db.put_process(record("a", 10));
        db.put_process(record("b", 11));
        db.forget_process("a", 10);
        db.set_held("a", true);
    }
    database again(path);
    BOOST_TEST(again.consented());
    BOOST_TEST(again.held("a"));
    BOOST_TEST(!again.held("b"));
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
    db.set_consented();
    BOOST_TEST(db.consented());
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
            db.set_consented();
            BOOST_TEST(db.consented());
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
        BOOST_TEST(db.held("w"));
        hob::unit::run_store runs(db);
        hob::unit::run_record run;
        run.task = "t";
        run.state = "running";
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
    run.state = "running";
    run.id = runs.add(run);
    run.state = "ok";
    run.exit = 0;
    run.ended_at = run.started_at + std::chrono::seconds(1);
    runs.finish(run);
    run.state = "running";
    runs.add(run);
    BOOST_TEST(runs.lose_running() == 1);
    BOOST_TEST(runs.find(1)->state == "ok");
    BOOST_TEST(runs.find(1)->duration_ms().value() == 1000);
    BOOST_TEST(runs.find(2)->state == "lost");
    BOOST_TEST(!runs.find(2)->exit.has_value());
    BOOST_TEST(hob::unit::read_runs(dir.path() + "/hob.db", {}, true).size() == 2u);
    BOOST_TEST(hob::unit::read_runs(dir.path() + "/none.db", {}, true).empty());
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
    db.set_held("x", true);
    BOOST_TEST(db.held("x"));
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

BOOST_AUTO_TEST_SUITE_END()
