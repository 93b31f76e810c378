#pragma once
// One prepared statement, finalized with its scope.

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hob::unit {

class sqlite_statement {
public:
    sqlite_statement(sqlite3* db, const char* sql) {
        code_ = ::sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr);
    }
    ~sqlite_statement() { ::sqlite3_finalize(statement_); }
    sqlite_statement(const sqlite_statement&) = delete;
    sqlite_statement& operator=(const sqlite_statement&) = delete;

    // Binds the next parameter. The text must outlive the statement's steps.
    sqlite_statement& bind(std::string_view text) {
        if (statement_)
            ::sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()),
                                SQLITE_STATIC);
        return *this;
    }
    sqlite_statement& bind(const std::optional<std::int64_t>& number) {
        if (number) return bind(*number);
        if (statement_) ::sqlite3_bind_null(statement_, ++bound_);
        return *this;
    }
    sqlite_statement& bind(std::int64_t number) {
        if (statement_) ::sqlite3_bind_int64(statement_, ++bound_, number);
        return *this;
    }

    sqlite_statement& bind_null() {
        if (statement_) ::sqlite3_bind_null(statement_, ++bound_);
        return *this;
    }

    bool row() {  // steps; false: no further row, or an error (see code())
        if (code_ != SQLITE_OK && code_ != SQLITE_ROW) return false;
        code_ = ::sqlite3_step(statement_);
        return code_ == SQLITE_ROW;
    }
    bool done() {  // steps to the end
        while (row()) {
        }
        return code_ == SQLITE_DONE;
    }
    bool done_again() {  // again from the beginning, with the same parameters
        if (!statement_) return false;
        ::sqlite3_reset(statement_);
        code_ = SQLITE_OK;
        return done();
    }
    int code() const { return code_; }

    std::int64_t number(int column) const { return ::sqlite3_column_int64(statement_, column); }
    bool is_null(int column) const { return ::sqlite3_column_type(statement_, column) == SQLITE_NULL; }
    std::optional<std::int64_t> optional_number(int column) const {
        if (::sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
        return number(column);
    }
    std::string text(int column) const {
        const auto* bytes = ::sqlite3_column_blob(statement_, column);
        const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column));
        return bytes ? std::string(static_cast<const char*>(bytes), size) : std::string();
    }

private:
    sqlite3_stmt* statement_ = nullptr;
    int bound_ = 0;
    int code_ = SQLITE_ERROR;
};

}  // namespace hob::unit
