#include "encdns_backoff.h"

/** Pauses, ms */
#define PAUSE_MIN 1000
#define PAUSE_MAX 60000

/*
 * Described in header
 */
uint64_t encdns_now(void)
{
	timeval_t now;

	time_monotonic(&now);
	return now.tv_sec * 1000ULL + now.tv_usec / 1000;
}

/*
 * Described in header
 */
void encdns_backoff_failed(encdns_backoff_t *this)
{
	if (!this->until)
	{
		this->pause = this->pause ? min(2 * this->pause, PAUSE_MAX) : PAUSE_MIN;
		this->until = encdns_now() + this->pause;
	}
}

/*
 * Described in header
 */
bool encdns_backoff_is_over(encdns_backoff_t *this)
{
	if (this->until && this->until <= encdns_now())
	{
		this->until = 0;
	}
	return !this->until;
}

/*
 * Described in header
 */
void encdns_backoff_reset(encdns_backoff_t *this)
{
	this->until = 0;
	this->pause = 0;
}
