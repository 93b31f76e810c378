# Completion of hob for fish. hob itself knows the words, see hob-completions(1).

function __hob_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    test (count $current) -eq 0; and set current ''
    set -l hob $words[1]
    type -q -- $hob; or return 0
    for line in (command $hob completions --words line -- $words $current 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path $current
            case ':directories'
                __fish_complete_directories $current ''
            case '*'
                printf '%s\n' $line
        end
    end
end

complete -c hob -f -a '(__hob_complete)'
