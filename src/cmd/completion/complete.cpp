#include "cmd/completion/complete.hpp"

#include <algorithm>

#include "cmd/core/command.hpp"
#include "cmd/core/help_text.hpp"
#include "unit/config/keys.hpp"

namespace hob::cmd {
namespace {

const option_row* find_option(std::span<const option_row> rows, std::string_view name) {
    for (const auto& row : rows) {
        if (option_name(row) == name) return &row;
        const auto comma = row.name.find(',');
        if (comma != std::string_view::npos && row.name.substr(comma + 1) == name) return &row;
    }
    return nullptr;
}

std::vector<candidate> split_words(std::string_view text) {
    std::vector<candidate> words;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        words.push_back({std::string(text.substr(0, end)), ""});
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

// The line as far as it is typed: its verb, its operands, and the option that the word at the cursor belongs
// to.
class line_reader {
public:
    explicit line_reader(std::span<const std::string> line) {
        if (line.empty()) return;
        const std::string& program = line.front();
        const std::string_view base = std::string_view(program).substr(program.rfind('/') + 1);
        if (base.starts_with("hob-")) verb = find_command(base.substr(4));
        for (std::size_t i = 1; i + 1 < line.size(); ++i)
            read(line[i]);
        current = line.size() > 1 ? line.back() : "";
    }

    const command* verb = nullptr;
    bool unknown_verb = false;
    bool after_dashes = false;
    const option_row* awaiting = nullptr;  // the option whose value comes next
    std::vector<std::string> operands;
    instance_choice instance;
    bool remote = false;  // the names are those of another machine
    std::string current;

    const option_row* option(std::string_view name) const {
        const option_row* own = verb ? find_option(verb->options, name) : nullptr;
        return own ? own : find_option(global_option_rows(), name);
    }

private:
    void read(const std::string& word) {
        if (awaiting) {
            set(*awaiting, word);
            awaiting = nullptr;
        } else if (after_dashes) {
            return;
        } else if (word == "--") {
            after_dashes = true;
        } else if (word.starts_with("--")) {
            read_long(word.substr(2));
        } else if (word.size() > 1 && word.front() == '-') {
            read_short(word);
        } else if (!verb && !unknown_verb) {
            verb = find_command(word);
            unknown_verb = !verb;
        } else {
            operands.push_back(word);
        }
    }

    void read_long(const std::string& word) {
        const auto equals = word.find('=');
        const option_row* row = option(word.substr(0, equals));
        if (!row || row->value.empty()) return;
        if (equals == std::string::npos) {
            awaiting = row;
        } else {
            set(*row, word.substr(equals + 1));
        }
    }

    void read_short(const std::string& word) {
        for (std::size_t i = 1; i < word.size(); ++i) {
            const option_row* row = option(word.substr(i, 1));
            if (!row || row->value.empty()) continue;
            if (i + 1 < word.size()) {
                set(*row, word.substr(i + 1));
            } else {
                awaiting = row;
            }
            return;
        }
    }

    void set(const option_row& row, const std::string& value) {
        if (option_name(row) == "host") remote = true;
        if (option_name(row) == "instance") instance.name = value;
        if (option_name(row) == "directory") instance.directory = value;
    }
};

class completer {
public:
    completer(const line_reader& line, const word_source& words_of) : line_(line), words_of_(words_of) {}

    completion run() {
        const std::string& current = line_.current;
        if (line_.awaiting) {
            values(*line_.awaiting, "", current);
        } else if (line_.after_dashes) {
            if (line_.verb && line_.verb->takes_command) found_.more = more_words::files;
        } else if (current.starts_with("--") && current.find('=') != std::string::npos) {
            const auto equals = current.find('=');
            const option_row* row = line_.option(current.substr(2, equals - 2));
            if (row && !row->value.empty())
                values(*row, current.substr(0, equals + 1), current.substr(equals + 1));
        } else if (current.starts_with('-')) {
            if (line_.verb) options(line_.verb->options);
            options(global_option_rows());
        } else if (!line_.verb) {
            if (!line_.unknown_verb) add(verb_words(), "", current);
        } else {
            operand();
        }
        return std::move(found_);
    }

private:
    std::vector<candidate> names(std::string_view kind) const {
        return line_.remote ? std::vector<candidate>() : words_of_(kind, line_.instance);
    }

    void add(const std::vector<candidate>& words, const std::string& lead, std::string_view prefix) {
        for (const auto& each : words) {
            if (each.word.starts_with(prefix)) found_.words.push_back({lead + each.word, each.help});
        }
    }

    void options(std::span<const option_row> rows) {
        for (const auto& row : rows) {
            if (row.help.empty()) continue;
            const std::string_view name = option_name(row);
            std::string word = (name.size() == 1 ? "-" : "--") + std::string(name);
            if (word.starts_with(line_.current))
                found_.words.push_back({std::move(word), std::string(row.help)});
        }
    }

    void values(const option_row& row, const std::string& lead, std::string_view prefix) {
        const std::string_view name = option_name(row);
        if (name == "instance") {
            add(names("instances"), lead, prefix);
        } else if (!row.words.empty()) {
            add(split_words(row.words), lead, prefix);
        } else if (row.value == "UNIT") {
            add(words_of_("units", line_.instance), lead, prefix);
        } else if (row.value == "DIR") {
            found_.more = more_words::directories;
        } else if (row.value == "FILE") {
            found_.more = more_words::files;
        }
    }

    void operand() {
        const command& verb = *line_.verb;
        const auto given = static_cast<int>(line_.operands.size());
        if (verb.operands_max >= 0 && given >= verb.operands_max) return;
        if (given == 0 && !verb.first_words.empty())
            return add(split_words(verb.first_words), "", line_.current);
        switch (verb.completes) {
            case operand_kind::none:
                return;
            case operand_kind::unit:
                add(not_given(names("units")), "", line_.current);
                return;
            case operand_kind::worker:  // UNIT METHOD [PARAMS...]
                if (given == 0) add(names("workers"), "", line_.current);
                return;
            case operand_kind::attachable:
                add(words_of_("attachable", line_.instance), "", line_.current);
                return;
            case operand_kind::task:
                add(not_given(names("tasks")), "", line_.current);
                return;
            case operand_kind::history:
                add(names("tasks"), "", line_.current);
                add(names("services"), "", line_.current);
                return;
            case operand_kind::topic:
                topic();
                return;
            case operand_kind::shell:
                add(shell_words(), "", line_.current);
                return;
            case operand_kind::file:
                found_.more = more_words::files;
                return;
        }
    }

    // Verbs, and keys once something is typed: there are too many of them to show beside the verbs.
    void topic() {
        add(verb_words(), "", line_.current);
        if (line_.current.empty()) return;
        auto keys = key_words();
        std::erase_if(keys, [](const candidate& each) { return find_command(each.word) != nullptr; });
        add(keys, "", line_.current);
        if (line_.current.find('.') != std::string::npos) add(full_key_words(), "", line_.current);
    }

    std::vector<candidate> not_given(std::vector<candidate> words) const {
        const auto is_given = [&](const candidate& each) {
            return std::find(line_.operands.begin(), line_.operands.end(), each.word) != line_.operands.end();
        };
        words.erase(std::remove_if(words.begin(), words.end(), is_given), words.end());
        return words;
    }

    const line_reader& line_;
    const word_source& words_of_;
    completion found_;
};

}  // namespace

completion complete_line(std::span<const std::string> line, const word_source& words_of) {
    const line_reader read(line);
    return completer(read, words_of).run();
}

std::vector<candidate> verb_words() {
    std::vector<candidate> words;
    for (const command* verb : all_commands())
        words.push_back({std::string(verb->name), std::string(verb->summary)});
    return words;
}

std::vector<candidate> key_words() {
    std::vector<candidate> words;
    for (const auto& key : unit::all_keys()) {
        const auto known = std::find_if(words.begin(), words.end(),
                                        [&](const candidate& each) { return each.word == key.name; });
        if (known == words.end()) words.push_back({std::string(key.name), std::string(key.help)});
    }
    return words;
}

std::vector<candidate> full_key_words() {
    std::vector<candidate> words;
    for (unsigned table = unit::in_daemon; table <= unit::in_task; table <<= 1) {
        for (const auto& key : unit::all_keys()) {
            if ((key.tables & table) != 0)
                words.push_back({unit::full_name(key, table), std::string(key.help)});
        }
    }
    return words;
}

std::vector<candidate> shell_words() { return {{"bash", ""}, {"fish", ""}, {"zsh", ""}}; }

std::string completion_text(const completion& found) {
    std::string text;
    for (const auto& [word, help] : found.words) {
        text += word;
        if (!help.empty()) text += "\t" + help;
        text += '\n';
    }
    if (found.more == more_words::files) text += ":files\n";
    if (found.more == more_words::directories) text += ":directories\n";
    return text;
}

}  // namespace hob::cmd
