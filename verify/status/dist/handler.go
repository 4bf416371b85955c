package dist

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/tamthe/tamthe/verify/status"
)

const (
	// headCache lets a cache hand a head out for a minute without asking.
	headCache = "public, max-age=60, must-revalidate"
	forEver   = "public, max-age=31536000, immutable"

	// slowest is how long a device may take to get a file.
	slowest = 15 * time.Minute
)

// Handler hands out a folder of published lists, with what caches need to know: the head is
// asked for again after a minute, all else never. It answers to parts of files (Range) and to
// If-None-Match and If-Modified-Since, and shows no other file of the folder.
func Handler(dir string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		head := name == HeadName
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		case !head && !snapshotName.MatchString(name) && !patchName.MatchString(name):
			http.NotFound(w, r)
			return
		}
		serve(w, r, dir, name, head)
	})
}

func serve(w http.ResponseWriter, r *http.Request, dir, name string, head bool) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer root.Close()
	f, err := root.Open(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		http.NotFound(w, r)
		return
	}
	tag, cache := name, forEver
	if head { // one of another publication has another tag
		h := sha256.New()
		_, err := io.Copy(h, io.LimitReader(f, status.MaxHead))
		if _, again := f.Seek(0, io.SeekStart); err != nil || again != nil {
			http.Error(w, "cannot read it", http.StatusInternalServerError)
			return
		}
		tag, cache = hex.EncodeToString(h.Sum(nil)[:16]), headCache
	}
	w.Header().Set("ETag", `"`+tag+`"`)
	w.Header().Set("Cache-Control", cache)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(slowest)) // where the server has deadlines
	http.ServeContent(w, r, name, info.ModTime(), f)
}
