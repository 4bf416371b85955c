// Sample-portal is a small public service portal, to show how one is connected: it logs a
// citizen in by OpenID Connect at `tamthe serve eid`, shows what the card disclosed, and files
// an application for another card at `tamthe serve intake`. See `sample-portal -help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/tamthe/tamthe/cmd/sample-portal/portal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(portal.Main(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
