# Packs documents/ and mail/ into BACKUP_DIR, and keeps the newest BACKUP_KEEP archives.
set -eu
mkdir -p "$BACKUP_DIR"
archive="$BACKUP_DIR/home-$(date +%Y-%m-%d).tar.gz"
tar -czf "$archive.new" documents mail
mv "$archive.new" "$archive"
ls -1t "$BACKUP_DIR"/home-*.tar.gz | tail -n +$((BACKUP_KEEP + 1)) | while read -r old; do rm -- "$old"; done
echo "$archive: $(stat -c %s "$archive") bytes"
