// SPDX-License-Identifier: GPL-2.0
/*
 * The terminal. Each screen is drawn over the one before, without being cleared first, so
 * that nothing flickers. In batch mode there is no terminal, and no escape sequence.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "top_screen.h"

static const char enter[] = "\033[?1049h\033[?25l";
static const char leave[] = "\033[?25h\033[?1049l";
static const char home[] = "\033[H";
static const char clear_line[] = "\033[K";
static const char clear_below[] = "\033[J";

static struct termios saved;
static bool has_keys;	/* saved is to be restored */

/*
 * The terminal gets a second screen, so that the first one can come back. Keys are read
 * one by one. ^Z is an ordinary key meanwhile: as a signal it would stop us, and leave
 * this screen to the shell.
 */
void screen_enter(const struct screen *s)
{
	struct termios t;

	if (s->batch)
		return;
	fputs(enter, stdout);
	fflush(stdout);
	if (tcgetattr(STDIN_FILENO, &saved))
		return;
	t = saved;
	t.c_lflag &= ~(ICANON | ECHO);
	t.c_cc[VSUSP] = _POSIX_VDISABLE;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	has_keys = !tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

void screen_leave(const struct screen *s)
{
	if (s->batch)
		return;
	if (has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	fputs(leave, stdout);
	fflush(stdout);
}

/* Wait for a key, but no longer than this. Return: true if the key means to quit */
bool screen_key_quits(double seconds)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char c;

	if (!has_keys) {
		util_wait(seconds);
		return false;
	}
	if (poll(&p, 1, seconds * 1000 + 1) <= 0)
		return false;
	/* The terminal may have gone. */
	return read(STDIN_FILENO, &c, 1) != 1 || c == 'q' || c == 'Q';
}

static int rows(void)
{
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) || !ws.ws_row)
		return 24;
	return ws.ws_row;
}

void screen_begin(struct screen *s)
{
	s->lines_left = rows();
	if (!s->batch)
		fputs(home, stdout);
}

/*
 * A line longer than the screen is wide would take two rows, and a line below the last
 * row would scroll. So long lines are cut, and lines that do not fit are left out.
 */
void screen_line(struct screen *s, const char *fmt, ...)
{
	char buf[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (s->batch) {
		puts(buf);
		return;
	}
	if (s->lines_left-- <= 0)
		return;
	/* The last line's newline would scroll. */
	printf("%s%.*s%s", clear_line, util_columns(), buf,
	       s->lines_left ? "\n" : "");
}

/* The screen before may have had more lines. */
void screen_end(struct screen *s)
{
	if (s->batch)
		putchar('\n');
	else if (s->lines_left > 0)
		fputs(clear_below, stdout);
}
