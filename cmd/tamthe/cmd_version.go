package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func newVersion(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Prints the version of tamthe and of the Go that built it.\n",
		Example: "  tamthe version --json",
		Args:    exactly(0),
		RunE: func(*cobra.Command, []string) error {
			return p.result(struct {
				Schema  string `json:"schema"`
				Version string `json:"version"`
				Go      string `json:"go"`
			}{"tamthe/version/1", version, runtime.Version()}, version,
				fmt.Sprintf("tamthe %s %s %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH))
		},
	}
}
