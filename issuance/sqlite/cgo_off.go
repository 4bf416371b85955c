//go:build !cgo

package sqlite

import _ "embed"

// The driver is C. Without a C compiler it would build and fail at run time, so that the
// build fails here, before all else, by a file that is never there: its name is the message.
//
//go:embed needs_cgo_install_gcc_and_set_CGO_ENABLED=1
var _ string
