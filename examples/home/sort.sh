# Moves each file of incoming/ into a folder by its kind.
set -eu
for file in incoming/*; do
    [ -f "$file" ] || continue
    case $file in
        *.jpg | *.jpeg | *.png) folder=pictures ;;
        *.pdf | *.txt | *.odt) folder=documents ;;
        *) folder=other ;;
    esac
    mkdir -p "$folder"
    mv --no-clobber -- "$file" "$folder/"
    echo "$file -> $folder/"
done
