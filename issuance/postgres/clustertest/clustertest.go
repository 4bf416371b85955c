// Package clustertest runs three PostgreSQL servers under Patroni, etcd and HAProxy, as a
// ministry would, for tests that kill and cut them off.
//
// Everything is Debian's: postgresql-15, patroni, etcd-server, haproxy, iproute2. The nodes
// have a network each, inside one of the test's own, so that a node can be cut off and no
// other program sees any of it; processes and temporary files end with the test, whatever
// happens. The configuration is that of the folder config, which README points to.
//
// A test program begins with Enter, then each test that needs a cluster starts one:
//
//	func TestMain(m *testing.M) { clustertest.Enter(); os.Exit(m.Run()) }
//
//	c := clustertest.Start(t)
//	l, err := postgres.Create(ctx, c.DSN(), …)
//	old := c.Primary(t)
//	old.Kill(t)
package clustertest

// Nodes are how many servers a cluster has.
const Nodes = 3
