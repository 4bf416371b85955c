//go:build unix

package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// account is whom the server runs as where the test is root, whom PostgreSQL refuses.
const account = "nobody"

// ids are the numbers of the account; ok is false if the test's own user will do.
func ids() (uid, gid int, ok bool, err error) {
	if os.Geteuid() != 0 {
		return 0, 0, false, nil
	}
	u, err := user.Lookup(account)
	if err != nil {
		return 0, 0, false, err
	}
	uid, err = strconv.Atoi(u.Uid)
	if err != nil {
		return 0, 0, false, fmt.Errorf("user %s: %w", account, err)
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, true, err
}

// give makes the server's user the owner of the folder.
func give(dir string) error {
	uid, gid, ok, err := ids()
	if err != nil || !ok {
		return err
	}
	return os.Chown(dir, uid, gid)
}

// asServer lets a program run as the server's user, in its folder and a session of its
// own, and blind to the variables that lead PostgreSQL's clients elsewhere.
func asServer(cmd *exec.Cmd, dir string) {
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=" + dir, "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	uid, gid, ok, err := ids()
	if err == nil && ok {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
}
