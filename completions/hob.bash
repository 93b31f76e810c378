# Completion of hob for bash. hob itself knows the words, see hob-completions(1).

_hob() {
    local hob=${COMP_WORDS[0]} words=() word line i
    case $hob in
        "~/"*) hob=$HOME/${hob#??} ;;
    esac
    type -P -- "$hob" >/dev/null || return 0

    # readline splits at = and :, which are parts of hob's words.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i > 1)) && [[ $word == [=:]* || ${words[${#words[@]} - 1]} == *[=:] ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
    done
    for i in "${!words[@]}"; do
        word=${words[i]}
        case $word in
            "~/"*) word=$HOME/${word#??} ;;
            \'*) word=${word#\'} word=${word%\'} ;;
            \"*) word=${word#\"} word=${word%\"} ;;
            *\\*) word=${word//\\/} ;;
        esac
        words[i]=$word
    done

    # What readline takes for the word under the cursor may be only the end of ours.
    local current=${words[${#words[@]} - 1]} tail=${COMP_WORDS[COMP_CWORD]}
    [[ $tail == [=:]* ]] && tail=
    local lead=
    [[ $current == *[=:]* ]] && lead=${current%"$tail"}

    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :files)
                compopt -o filenames 2>/dev/null
                while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "${current#"$lead"}")
                ;;
            :directories)
                compopt -o filenames 2>/dev/null
                while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -d -- "${current#"$lead"}")
                ;;
            *)
                word=${line%%$'\t'*}
                COMPREPLY+=("${word#"$lead"}")
                ;;
        esac
    done < <(command "$hob" completions --words line -- "${words[@]}" 2>/dev/null)
}

complete -F _hob hob
