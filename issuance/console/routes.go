package console

import (
	"io/fs"
	"net/http"
)

// routes are all pages.
func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	c.loginRoutes(mux)
	c.jobRoutes(mux)
	c.deskRoutes(mux)
	c.checkRoutes(mux)
	c.auditRoutes(mux)
	assets, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(assets)))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.Handle("GET /{$}", c.page(func(q *request) error { return q.render("home.html", q.nav()) }))
	mux.Handle("/", c.open(func(*request) error { return errNoPage }))
	return mux
}
