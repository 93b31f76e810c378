#include "cmd/core/command_line.hpp"

#include <algorithm>
#include <boost/program_options.hpp>

#include "error.hpp"
#include "identity.hpp"
#include "util/duration.hpp"
#include "util/suggest.hpp"

namespace hob::cmd {
namespace {

namespace po = boost::program_options;

constexpr const char* operands_name = "\x01operands";

constexpr option_row global_rows[] = {
    {"directory,C", "DIR", "as if run in DIR"},
    {"instance", "NAME", "the instance NAME, from any directory"},
    {"host,H", "HOST", "on another machine by ssh, as in me@host:dir"},
    {"json", "", "print JSON, also for errors"},
    {"timeout", "DURATION", "the one deadline, from start to last byte, such as 500ms or 10s"},
    {"no-spawn", "", "never start a daemon"},
    {"color", "WHEN", "auto, always or never", "auto always never"},
    {"quiet,q", "", "print only what was asked for"},
    {"verbose,v", "", "say more"},
    {"help,h", "", "describe the verb"},
    {"version,V", "", "print the version"},
    {"install", "DIR", "make a link for every verb in DIR"},
};

std::string_view long_name(const option_row& row) { return row.name.substr(0, row.name.find(',')); }

// Whether one of the words could be this option, by its long or its short name.
bool may_occur(const option_row& row, const std::vector<std::string>& words) {
    const std::string_view name = long_name(row);
    const char letter = name.size() + 2 == row.name.size() ? row.name.back() : '\0';
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
        if (word.starts_with("--")) return word.substr(2).starts_with(name);
        return letter != '\0' && word.starts_with('-') && word.find(letter) != std::string_view::npos;
    });
}

// Leaves out options that do not occur: describing an option takes longer than parsing it.
void add_rows(po::options_description& known, std::span<const option_row> rows,
              const std::vector<std::string>& words) {
    for (const auto& row : rows) {
        if (!may_occur(row, words)) continue;
        const std::string name(row.name);
        if (row.value.empty()) {
            known.add_options()(name.c_str(), "");
        } else {
            known.add_options()(name.c_str(), po::value<std::vector<std::string>>(), "");
        }
    }
}

// Whether `word` is a global option whose value is the next word.
bool takes_next_word(std::string_view word) {
    const bool is_long = word.starts_with("--");
    const std::string_view name = word.substr(is_long ? 2 : 1);
    return std::any_of(std::begin(global_rows), std::end(global_rows), [&](const option_row& row) {
        const std::size_t comma = std::min(row.name.find(','), row.name.size());
        return !row.value.empty() &&
               name == (is_long ? row.name.substr(0, comma)
                                : row.name.substr(std::min(comma + 1, row.name.size())));
    });
}

failure bad_option(const po::error_with_option_name& error, const command* verb) {
    std::string name = error.get_option_name();
    const std::string called = verb ? command_text(verb->name) : this_program.name;
    std::string hint =
        verb ? called + " --help lists its options" : command_text("help") + " lists the options";
    if (dynamic_cast<const po::unknown_option*>(&error)) {
        std::vector<std::string_view> names;
        for (const auto& row : global_rows)
            names.push_back(long_name(row));
        if (verb) {
            for (const auto& row : verb->options)
                names.push_back(long_name(row));
        }
        std::string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
        bare.resize(std::min(bare.find('='), bare.size()));
        if (const auto near = util::nearest(bare, names))
            hint = "did you mean '--" + std::string(*near) + "'?";
        return failure(error_kind::usage, cannot("run", called), "unknown option '" + name + "'", hint);
    }
    return failure(error_kind::usage, cannot("run", called), error.what(), hint);
}

color_mode parse_color(const std::string& when) {
    if (when == "auto") return color_mode::automatic;
    if (when == "always") return color_mode::always;
    if (when == "never") return color_mode::never;
    throw failure(error_kind::usage, "cannot use --color '" + when + "'", "auto, always or never");
}

void apply_global(parsed_line& parsed, const std::string& name, const std::string& value) {
    global_options& global = parsed.call.global;
    if (name == "directory") global.directory = value;
    if (name == "instance") global.instance = value;
    if (name == "host") global.host = value;
    if (name == "json") global.json = true;
    if (name == "no-spawn") global.no_spawn = true;
    if (name == "quiet") global.quiet = true;
    if (name == "verbose") global.verbose = true;
    if (name == "help") parsed.help = true;
    if (name == "version") parsed.version = true;
    if (name == "install") parsed.install = value;
    if (name == "color") parsed.color = parse_color(value);
    if (name == "timeout") {
        const auto limit = util::parse_duration(value);
        if (!limit) {
            throw failure(error_kind::usage, cannot("use --timeout", value), "not a duration",
                          "such as 500ms, 10s or 2m");
        }
        global.timeout = *limit;
        parsed.call.limit = util::deadline::in(*limit);
    }
}

// Such as "$NAME" in a script where NAME is not set. Only the first operand of a call is a name.
bool lacks_a_name(const std::vector<std::string>& operands, const command& verb) {
    const bool of_names = verb.completes == operand_kind::unit || verb.completes == operand_kind::worker ||
                          verb.completes == operand_kind::task || verb.completes == operand_kind::file ||
                          verb.completes == operand_kind::attachable ||
                          verb.completes == operand_kind::history;
    if (!of_names || operands.empty()) return false;
    const auto last = verb.completes == operand_kind::unit ? operands.end() : operands.begin() + 1;
    return std::any_of(operands.begin(), last, [](const std::string& each) { return each.empty(); });
}

void check_operands(const parsed_line& parsed, const command& verb, bool dashes) {
    const auto count = static_cast<int>(parsed.call.operands.size());
    const auto wrong = [&](std::string reason) {
        std::string usage = "usage: " + command_text(verb.name);
        if (!verb.usage.empty()) usage.append(" ").append(verb.usage);
        return failure(error_kind::usage, cannot("run", command_text(verb.name)), std::move(reason),
                       std::move(usage));
    };
    if (dashes && !verb.takes_command) throw wrong("it takes no command after --");
    if (count < verb.operands_min) throw wrong("an argument is missing");
    if (lacks_a_name(parsed.call.operands, verb)) throw wrong("a name is empty");
    if (verb.operands_max >= 0 && count > verb.operands_max) {
        const std::string& extra = parsed.call.operands[static_cast<std::size_t>(verb.operands_max)];
        throw wrong("one argument too many: '" + extra + "'");
    }
}

// Takes -5 and -.5 as operands: a verb's argument may be a negative number, and no option begins with a
// digit.
std::vector<po::option> take_negative_number(std::vector<std::string>& rest) {
    std::vector<po::option> taken;
    const std::string& word = rest.front();
    const std::size_t digit = word.starts_with("-.") ? 2 : 1;
    if (!word.starts_with("-") || word.size() <= digit || word[digit] < '0' || word[digit] > '9')
        return taken;
    taken.emplace_back(operands_name, std::vector<std::string>{word});
    rest.erase(rest.begin());
    return taken;
}

// Writes options and operands into `parsed`.
void parse_options(parsed_line& parsed, const std::vector<std::string>& words, const command* verb) {
    po::options_description known;
    add_rows(known, global_rows, words);
    if (verb) add_rows(known, verb->options, words);
    known.add_options()(operands_name, po::value<std::vector<std::string>>(), "");
    po::positional_options_description positions;
    positions.add(operands_name, -1);

    try {
        using namespace po::command_line_style;
        constexpr int style = allow_long | allow_short | allow_dash_for_short | long_allow_adjacent |
                              long_allow_next | short_allow_adjacent | short_allow_next | allow_sticky;
        const auto options = po::command_line_parser(words)
                                 .options(known)
                                 .positional(positions)
                                 .style(style)
                                 .extra_style_parser(take_negative_number)
                                 .run();
        for (const auto& option : options.options) {
            if (option.string_key == operands_name) {
                for (const auto& value : option.value)
                    parsed.call.operands.push_back(value);
                continue;
            }
            const std::string value = option.value.empty() ? "" : option.value.back();
            parsed.call.options.emplace_back(option.string_key, value);
            apply_global(parsed, option.string_key, value);
        }
    } catch (const po::error_with_option_name& error) {
        throw bad_option(error, verb);
    } catch (const po::error& error) {
        throw failure(error_kind::usage, cannot("read the command line"), error.what());
    }
}

}  // namespace

std::span<const option_row> global_option_rows() { return global_rows; }

command_line split_command_line(const std::vector<std::string>& words, std::string_view verb_given) {
    command_line line;
    line.verb = verb_given;
    std::size_t i = 0;
    for (; i < words.size() && words[i] != "--"; ++i) {
        const std::string& word = words[i];
        const bool option = word.size() > 1 && word.front() == '-';
        if (line.verb.empty() && !option && !word.empty()) {
            line.verb = word;
            continue;
        }
        line.before.push_back(word);
        if (option && takes_next_word(word) && i + 1 < words.size()) line.before.push_back(words[++i]);
    }
    if (i < words.size()) {
        line.dashes = true;
        line.after.assign(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
    }
    return line;
}

parsed_line parse_command_line(const command_line& line, const command* verb) {
    parsed_line parsed;
    // Without options Boost.Program_options is not needed: it makes locales and streams before it reads a
    // word.
    if (std::none_of(line.before.begin(), line.before.end(),
                     [](const std::string& word) { return word.starts_with('-'); })) {
        parsed.call.operands = line.before;
    } else {
        parse_options(parsed, line.before, verb);
    }
    parsed.call.command = line.after;
    if (verb && !parsed.help && !parsed.version) check_operands(parsed, *verb, line.dashes);
    return parsed;
}

}  // namespace hob::cmd
