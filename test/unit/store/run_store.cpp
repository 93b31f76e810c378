#include "unit/store/run_store.hpp"

#include <sqlite3.h>

#include <boost/test/unit_test.hpp>

#include "fixtures/run_loop.hpp"

using hob::test::scratch;
using database = hob::unit::store;

namespace {

void fill(database& db, const char* sql) {
    BOOST_REQUIRE(::sqlite3_exec(db.handle(), sql, nullptr, nullptr, nullptr) == SQLITE_OK);
}

// In hundreds of steps of SQLite's virtual machine.
class step_counter {
public:
    explicit step_counter(database& db) : db_(db.handle()) {
        ::sqlite3_progress_handler(db_, 100, count, this);
    }
    ~step_counter() { ::sqlite3_progress_handler(db_, 0, nullptr, nullptr); }
    step_counter(const step_counter&) = delete;
    step_counter& operator=(const step_counter&) = delete;

    int hundreds() const { return hundreds_; }

private:
    static int count(void* self) {
        ++static_cast<step_counter*>(self)->hundreds_;
        return 0;
    }

    sqlite3* db_;
    int hundreds_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(run_store)

BOOST_AUTO_TEST_CASE(a_long_history_is_pruned_by_number_size_and_age) {
    const scratch dir;
    database db(dir.path() + "/hob.db");
    hob::unit::run_store runs(db);
    const auto now = std::chrono::system_clock::now();
    const auto add = [&](std::chrono::hours ago, std::int64_t bytes, const hob::unit::keep_spec& keep) {
        hob::unit::run_record run;
        run.task = "t";
        run.state = hob::unit::run_state::running;
        run.started_at = now - ago;
        run.id = runs.add(run);
        run.state = hob::unit::run_state::ok;
        run.ended_at = run.started_at;
        run.output_bytes = bytes;
        runs.end(run, keep);
        return run.id;
    };
    const auto left = [&] { return runs.list({}).size(); };
    const hob::unit::keep_spec all{.runs = 0, .age = {}, .size = {}};
    for (int i = 0; i < 100; ++i)
        add(std::chrono::hours(200 - i), 10, all);
    BOOST_TEST(left() == 100u);
    add(std::chrono::hours(0), 10, {.runs = 90, .age = {}, .size = {}});
    BOOST_TEST(left() == 90u);
    add(std::chrono::hours(0), 10, {.runs = 0, .age = {}, .size = 800});
    BOOST_TEST(left() == 80u);
    add(std::chrono::hours(0), 10, {.runs = 0, .age = std::chrono::hours(131), .size = {}});
    BOOST_TEST(left() == 33u);  // begun 130 to 101 hours ago, and the three of now
    // The newest is kept, however large it is.
    const auto large = add(std::chrono::hours(0), 5000, {.runs = 0, .age = {}, .size = 800});
    BOOST_TEST(left() == 1u);
    BOOST_TEST(runs.list({}).front().id == large);
    BOOST_TEST(runs.was_forgotten(1));
    BOOST_TEST(!runs.was_forgotten(large));
    BOOST_TEST(!runs.was_forgotten(large + 1));
    // What another object of this class counts is the same.
    hob::unit::run_store again(db);
    again.prune("t", {.runs = 1, .age = {}, .size = 800});
    BOOST_TEST(left() == 1u);
}

BOOST_AUTO_TEST_CASE(no_question_and_no_end_of_a_run_reads_the_whole_history) {
    const scratch dir;
    database db(dir.path() + "/hob.db");
    fill(db,
         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
         "INSERT INTO run (task, trigger, cause, state, started_at, ended_at, output_bytes) "
         "SELECT CASE i % 2 WHEN 0 THEN 't' ELSE 'u' END, 'manual', '', "
         "CASE i % 1000 WHEN 0 THEN 'failed' ELSE 'ok' END, i * 1000, i * 1000, 1 FROM n;");
    hob::unit::run_store runs(db);
    const auto at = [](int second) {
        return std::chrono::system_clock::time_point(std::chrono::seconds(second));
    };
    const hob::unit::run_query questions[] = {
        {.limit = 20},
        {.task = "t", .limit = 20},
        {.limit = 20, .failed = true},
        {.task = "t", .limit = 20, .failed = true},
        {.limit = 20, .until = at(10000)},
        {.since = at(10000), .until = at(10020)},
        {.limit = 20, .failed = true, .since = at(1000)},
    };
    for (const auto& question : questions) {
        const step_counter steps(db);
        BOOST_TEST(runs.list(question).size() == 20u);
        BOOST_TEST(steps.hundreds() < 50);
    }
    hob::unit::run_record run;
    run.task = "t";
    run.state = hob::unit::run_state::running;
    run.id = runs.add(run);
    const hob::unit::keep_spec keep{.runs = 9999, .age = std::chrono::hours(24 * 365 * 99), .size = 1u << 30};
    runs.prune("t", keep);  // counts once
    const step_counter steps(db);
    BOOST_TEST(runs.mark_running_lost() == 1);
    run.state = hob::unit::run_state::ok;
    runs.end(run, keep);
    BOOST_TEST(runs.last_of("t").has_value());
    BOOST_TEST(steps.hundreds() < 50);
}

BOOST_AUTO_TEST_SUITE_END()
