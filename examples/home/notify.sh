# Shows a message on the desktop; without one it is appended to notices.txt.
notify-send "$1" "$2" 2>/dev/null || printf '%s: %s\n' "$1" "$2" >> notices.txt
