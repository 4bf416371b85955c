package main

import "github.com/spf13/cobra"

func newDemo(p *program) *cobra.Command { return &cobra.Command{Use: "demo"} }
