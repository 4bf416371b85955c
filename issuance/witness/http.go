package witness

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
)

// ServeHTTP answers POST …/add-checkpoint and GET …/HASH/checkpoint of C2SP tlog-witness.
func (w *Witness) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	switch {
	case strings.HasSuffix(in.URL.Path, "/add-checkpoint"):
		if in.Method != http.MethodPost {
			http.Error(out, "POST only", http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(out, in.Body, MaxRequest+1))
		if err != nil {
			http.Error(out, "the request is too long", BadRequest)
			return
		}
		w.answer(out, body)
	case in.Method == http.MethodGet && strings.HasSuffix(in.URL.Path, "/"+checkpointFile):
		w.show(out, in.URL.Path)
	default:
		http.NotFound(out, in)
	}
}

func (w *Witness) answer(out http.ResponseWriter, body []byte) {
	line, err := w.Add(body)
	refused, is := errors.AsType[*Refusal](err)
	switch {
	case is && refused.Status == Conflict:
		out.Header().Set("Content-Type", "text/x.tlog.size")
		out.WriteHeader(Conflict)
		fmt.Fprintf(out, "%d\n", refused.Size)
	case is:
		http.Error(out, refused.Why, refused.Status)
	case err != nil:
		http.Error(out, "the witness is in trouble", http.StatusInternalServerError)
	default:
		out.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = out.Write(line)
	}
}

// show gives the newest checkpoint of the log whose hash is the last folder of the path.
func (w *Witness) show(out http.ResponseWriter, path string) {
	for origin := range w.logs {
		if !strings.HasSuffix(path, "/"+filepath.Base(w.folder(origin))+"/"+checkpointFile) {
			continue
		}
		signed, err := w.Newest(origin)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			http.Error(out, "nothing cosigned yet", NotFound)
		case err != nil:
			http.Error(out, "the witness is in trouble", http.StatusInternalServerError)
		default:
			out.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = out.Write(signed)
		}
		return
	}
	http.Error(out, "this log is not watched", NotFound)
}
