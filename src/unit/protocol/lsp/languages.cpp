#include "unit/protocol/lsp/languages.hpp"

#include <algorithm>
#include <array>

#include "unit/protocol/lsp/text.hpp"

namespace hob::unit {
namespace {

struct language {
    std::string_view id;
    std::string_view extensions;  // in small letters, separated by blanks
    std::string_view names;       // of whole files
};
// Sorted by id.
constexpr language languages[] = {
    {"abap", "abap", ""},
    {"ada", "ada adb ads", ""},
    {"agda", "agda", ""},
    {"apache", "htaccess", ".htaccess httpd.conf apache2.conf"},
    {"asciidoc", "adoc asc asciidoc", ""},
    {"asm", "asm nasm s", ""},
    {"astro", "astro", ""},
    {"awk", "awk gawk", ""},
    {"ballerina", "bal", ""},
    {"bat", "bat cmd", ""},
    {"beancount", "beancount", ""},
    {"bibtex", "bib", ""},
    {"bicep", "bicep", ""},
    {"bicep-params", "bicepparam", ""},
    {"c", "c i", ""},
    {"cabal", "cabal", ""},
    {"clojure", "bb clj cljc cljs cljx clojure edn", ""},
    {"cmake", "cmake", "CMakeLists.txt"},
    {"cobol", "cbl cob", ""},
    {"coffeescript", "coffee cson iced", ""},
    {"coq", "coq", ""},
    {"cpp", "c++ cc ccm cpp cppm cxx cxxm h h++ hh hpp hxx ii inc inl ino ipp ixx tpp txx", ""},
    {"crystal", "cr", ""},
    {"csharp", "cake cs csx", ""},
    {"css", "css", ""},
    {"csv", "csv", ""},
    {"cuda-cpp", "cu cuh", ""},
    {"cue", "cue", ""},
    {"d", "d di", ""},
    {"dart", "dart", ""},
    {"devicetree", "dts dtsi", ""},
    {"dhall", "dhall", ""},
    {"diff", "diff patch rej", ""},
    {"dockerfile", "containerfile dockerfile", "Dockerfile Containerfile"},
    {"dotenv", "env", ".env"},
    {"dune", "", "dune dune-project dune-workspace"},
    {"edge", "edge", ""},
    {"eex", "eex", ""},
    {"ejs", "ejs", ""},
    {"elixir", "ex exs", "mix.lock"},
    {"elm", "elm", ""},
    {"emacs-lisp", "el", ".emacs"},
    {"erb", "erb rhtml", ""},
    {"erlang", "erl escript hrl xrl yrl", ""},
    {"fennel", "fnl", ""},
    {"fish", "fish", ""},
    {"fortran", "f f03 f08 f18 f77 f90 f95 for", ""},
    {"fsharp", "fs fsi fsscript fsx", ""},
    {"fstar", "fst", ""},
    {"gdscript", "gd", ""},
    {"gherkin", "feature", ""},
    {"git-commit", "", "COMMIT_EDITMSG MERGE_MSG"},
    {"git-rebase", "", "git-rebase-todo"},
    {"gitignore", "dockerignore eslintignore gitignore hgignore ignore npmignore prettierignore",
     ".gitignore .dockerignore .npmignore .eslintignore .prettierignore .ignore"},
    {"gleam", "gleam", ""},
    {"glimmer-javascript", "gjs", ""},
    {"glimmer-typescript", "gts", ""},
    {"glsl", "comp frag geom glsl tesc tese vert", ""},
    {"gn", "", "BUILD.gn"},
    {"gnuplot", "gnuplot gp plt", ""},
    {"go", "go", ""},
    {"go.mod", "", "go.mod"},
    {"go.sum", "", "go.sum"},
    {"go.work", "", "go.work"},
    {"gotmpl", "gohtml gotmpl", ""},
    {"graphql", "gql graphql graphqls", ""},
    {"groovy", "gradle groovy gvy jenkinsfile nf", "Jenkinsfile"},
    {"hack", "hack hhi", ""},
    {"haml", "haml", ""},
    {"handlebars", "handlebars hbs hjs", ""},
    {"haskell", "hs hs-boot hsc", ""},
    {"haxe", "hx", ""},
    {"hcl", "hcl nomad", ""},
    {"hlsl", "cginc compute fx fxh hlsl hlsli psh vsh", ""},
    {"html", "htm html jshtm mdoc shtml volt xht xhtml", ""},
    {"http", "http", ""},
    {"hyprlang", "hl", ""},
    {"idris2", "idr", ""},
    {"ini", "cfg conf inf ini", ""},
    {"java", "jav java", ""},
    {"javascript", "cjs es6 js mjs pac", ""},
    {"javascriptreact", "jsx", ""},
    {"jinja", "j2 jinja jinja2", ""},
    {"json", "bowerrc geojson har ipynb jslintrc json jsonld map topojson webmanifest",
     "composer.lock .watchmanconfig .all-contributorsrc flake.lock Pipfile.lock "
     "deno.lock .prettierrc"},
    {"json5", "json5", ""},
    {"jsonc", "babelrc code-snippets code-workspace eslintrc hintrc jscsrc jshintrc jsonc swcrc",
     "tsconfig.json jsconfig.json .eslintrc.json .babelrc.json babel.config.json "
     "devcontainer.json .devcontainer.json language-configuration.json tslint.json "
     "api-extractor.json .code-workspace argv.json"},
    {"jsonl", "jsonl ndjson", ""},
    {"jsonnet", "jsonnet libsonnet", ""},
    {"julia", "jl", ""},
    {"just", "just", "justfile Justfile .justfile"},
    {"kconfig", "", "Kconfig"},
    {"kdl", "kdl", ""},
    {"kotlin", "kt kts", ""},
    {"latex", "ctx ltx tex", ""},
    {"lean4", "lean", ""},
    {"ledger", "ledger", ""},
    {"less", "less", ""},
    {"linkerscript", "ld lds", ""},
    {"liquid", "liquid", ""},
    {"lisp", "asd cl lisp lsp", ""},
    {"literate-haskell", "lhs", ""},
    {"llvm", "ll", ""},
    {"log", "log", ""},
    {"lua", "lua rockspec", ""},
    {"luau", "luau", ""},
    {"makefile", "mak make mk", "Makefile makefile GNUmakefile BSDmakefile OCamlMakefile Kbuild"},
    {"markdown", "markdn markdown md mdown mdtext mdtxt mdwn mkd mkdn workbook", ""},
    {"marko", "marko", ""},
    {"matlab", "mlx", ""},
    {"mdx", "mdx", ""},
    {"mermaid", "mermaid mmd", ""},
    {"meson", "", "meson.build meson_options.txt meson.options"},
    {"mlir", "mlir", ""},
    {"mojo", "mojo", ""},
    {"move", "move", ""},
    {"nim", "nim nimble nims", ""},
    {"ninja", "ninja", ""},
    {"nix", "nix", ""},
    {"nunjucks", "njk", ""},
    {"nushell", "nu", ""},
    {"objective-c", "m", ""},
    {"objective-cpp", "mm", ""},
    {"ocaml", "ml", ""},
    {"ocaml.interface", "mli", ""},
    {"ocaml.menhir", "mly", ""},
    {"ocaml.ocamllex", "mll", ""},
    {"odin", "odin", ""},
    {"opencl", "ocl", ""},
    {"org", "org", ""},
    {"pascal", "dpr lpr p pas pp", ""},
    {"perl", "cgi pl pl5 pm pod psgi t", "Makefile.PL Build.PL cpanfile"},
    {"phoenix-heex", "heex leex", ""},
    {"php", "ctp php php4 php5 phpt phtml", ""},
    {"pip-requirements", "", "requirements.txt constraints.txt requirements.in"},
    {"pkl", "pkl", ""},
    {"plaintext", "text txt", ""},
    {"plantuml", "plantuml puml", ""},
    {"plsql", "pkb pks", ""},
    {"powershell", "ps1 psd1 psm1 psrc pssc", ""},
    {"prisma", "prisma", ""},
    {"prolog", "pro prolog", ""},
    {"properties", "directory editorconfig gitattributes gitconfig gitmodules npmrc prefs properties",
     ".editorconfig .gitattributes .gitconfig .gitmodules .npmrc gitconfig"},
    {"proto", "proto", ""},
    {"pug", "jade pug", ""},
    {"purescript", "purs", ""},
    {"python", "cpy gyp gypi pxd py pyi pyw pyx rpy xpy",
     "SConstruct SConscript wscript Snakefile .pythonrc"},
    {"qml", "qml qmltypes", ""},
    {"quarto", "qmd", ""},
    {"r", "r rhistory rprofile rt", ".Rprofile .Rhistory"},
    {"racket", "rkt", ""},
    {"raku", "nqp p6 pl6 pm6 raku rakudoc rakumod rakutest", ""},
    {"razor", "cshtml razor", ""},
    {"rbs", "rbs", ""},
    {"rego", "rego", ""},
    {"rescript", "res resi", ""},
    {"restructuredtext", "rest rst", ""},
    {"rmd", "rmd", ""},
    {"ron", "ron", ""},
    {"ruby", "gemspec podspec rake rb rbx rjs ru",
     "Rakefile Gemfile Guardfile Podfile Capfile Cheffile Hobofile Vagrantfile "
     "Appraisals Rantfile Berksfile Thorfile Puppetfile Dangerfile Brewfile Fastfile "
     "Appfile .irbrc .pryrc"},
    {"rust", "rs", ""},
    {"sass", "sass", ""},
    {"scala", "sbt sc scala", ""},
    {"scheme", "scm sld ss", ""},
    {"scss", "scss", ""},
    {"shaderlab", "shader", ""},
    {"shellscript",
     "bash bash_aliases bash_login bash_logout bash_profile bashrc bats csh cshrc "
     "ebuild eclass install ksh profile sh tcshrc xprofile xsession zlogin zlogout "
     "zprofile zsh zsh-theme zshenv zshrc",
     "APKBUILD PKGBUILD .bash_aliases .bash_history .bash_login .bash_logout "
     ".bash_profile .bashrc .envrc .hushlogin .kshrc .login .logout .profile .zshrc "
     ".zshenv .zprofile .zlogin .zlogout .xprofile .xsession .xsessionrc bashrc zshrc"},
    {"slim", "slim", ""},
    {"smithy", "smithy", ""},
    {"sml", "sig sml", ""},
    {"solidity", "sol", ""},
    {"sparql", "rq sparql", ""},
    {"spec", "spec", ""},
    {"sql", "dsql sql", ""},
    {"ssh_config", "", "ssh_config sshd_config"},
    {"starlark", "bazel bzl sky star", "BUILD WORKSPACE Tiltfile"},
    {"stylus", "styl", ""},
    {"svelte", "svelte", ""},
    {"swift", "swift", ""},
    {"systemd", "mount service socket timer", ""},
    {"systemverilog", "sv svh", ""},
    {"tablegen", "td", ""},
    {"tcl", "tcl tk", ""},
    {"templ", "templ", ""},
    {"terraform", "tf tofu", ""},
    {"terraform-stack", "tfstack", ""},
    {"terraform-vars", "tfvars", ""},
    {"tex", "bbx cbx cls sty", ""},
    {"toml", "toml", "Cargo.lock poetry.lock uv.lock Pipfile pdm.lock Gopkg.lock"},
    {"twig", "twig", ""},
    {"typescript", "cts mts ts", ""},
    {"typescriptreact", "tsx", ""},
    {"typst", "typ", ""},
    {"vala", "vala vapi", ""},
    {"vb", "bas brs vb vba vbs", ""},
    {"vento", "vto", ""},
    {"verilog", "v vh vl", ""},
    {"vhdl", "vhd vhdl vho vht", ""},
    {"viml", "vim", ".vimrc .gvimrc .exrc vimrc"},
    {"vue", "vue", ""},
    {"wat", "wast wat", ""},
    {"wgsl", "wgsl", ""},
    {"wit", "wit", ""},
    {"xml",
     "ascx atom axaml axml bpmn cpt csl csproj dita ditamap dtd ent fsproj fxml gpx "
     "iml isml jmx launch menu mod mxml nuspec opml owl proj props pt publishsettings "
     "pubxml rbxlx rbxmx rdf rng rss shproj storyboard svg targets tld tmx vbproj "
     "vcxproj wsdl wxi wxl wxs xaml xbl xib xlf xliff xml xoml xpdl xsd xul",
     "nuget.config NuGet.Config packages.config pom.xml"},
    {"xsl", "xsl xslt", ""},
    {"yaml", "cff clang-format clang-tidy clangd eyaml eyml yaml yml",
     "pubspec.lock .clang-format .clang-tidy .clangd .gitlab-ci.yml CITATION.cff "
     ".yamllint"},
    {"yang", "yang", ""},
    {"zig", "zig zon", ""},
};

// Names that begin so and have a further extension, such as Dockerfile.dev and .env.local.
constexpr std::pair<std::string_view, std::string_view> prefixes[] = {
    {"Dockerfile.", "dockerfile"}, {"Containerfile.", "dockerfile"},
    {"Makefile.", "makefile"},     {"Jenkinsfile.", "groovy"},
    {".env.", "dotenv"},           {"tsconfig.", "jsonc"},
    {"jsconfig.", "jsonc"},
};

// Texts that no server keeps an index of.
constexpr std::string_view prose[] = {"csv", "diff", "gitignore", "ignore", "log", "plaintext"};

bool contains_word(std::string_view words, std::string_view word) {
    while (!words.empty()) {
        const std::string_view first = words.substr(0, words.find(' '));
        if (first == word) return true;
        words.remove_prefix(std::min(first.size() + 1, words.size()));
    }
    return false;
}

std::string_view name_of_path(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

// Empty: there is none.
std::string_view extension_of(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

bool matches(std::string_view path, const std::string& pattern) {
    const bool whole_path = pattern.find('/') != std::string::npos;
    const std::string anywhere = whole_path && !pattern.starts_with('/') ? "**/" + pattern : pattern;
    return lsp_glob(anywhere).matches(whole_path ? path : name_of_path(path));
}

std::string_view overridden(std::string_view path, language_overrides overrides) {
    std::string_view found;
    for (const auto& [pattern, id] : overrides) {
        if (matches(path, pattern)) found = id;
    }
    return found;
}

// Empty: it is not in the table.
std::string_view known_language(std::string_view name) {
    for (const language& each : languages) {
        if (contains_word(each.names, name)) return each.id;
    }
    const std::string_view extension = extension_of(name);
    for (const auto& [prefix, id] : prefixes) {
        if (name.starts_with(prefix) && (id != "jsonc" || extension == "json")) return id;
    }
    if (extension == "C") return "cpp";
    const std::string small = lower(extension);
    if (small.empty()) return {};
    for (const language& each : languages) {
        if (contains_word(each.extensions, small)) return each.id;
    }
    return {};
}

}  // namespace

std::string language_of_path(std::string_view path, language_overrides overrides) {
    std::string_view id = overridden(path, overrides);
    const std::string_view name = name_of_path(path);
    if (id.empty()) id = known_language(name);
    if (id.empty()) id = extension_of(name);
    return id.empty() ? "plaintext" : std::string(id);
}

bool matches_one(std::string_view path, std::span<const std::string> patterns) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& each) { return matches(path, each); });
}

bool is_source_path(std::string_view path, language_overrides overrides) {
    if (!overridden(path, overrides).empty()) return true;
    const std::string_view id = known_language(name_of_path(path));
    return !id.empty() && std::find(std::begin(prose), std::end(prose), id) == std::end(prose);
}

}  // namespace hob::unit
