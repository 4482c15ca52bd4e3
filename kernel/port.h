/*
 * kernel/port.h - single reads and writes of device registers.
 *
 * Each call is exactly one access of exactly that width, in program order with
 * the others; nothing is cached or merged by the compiler.
 */
#ifndef KERNEL_PORT_H
#define KERNEL_PORT_H

#include <stdint.h>

/* I/O ports (Intel SDM vol. 1, 18). */

static inline uint8_t port_read8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint16_t port_read16(uint16_t port)
{
    uint16_t value;

    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint32_t port_read32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void port_write8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void port_write16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void port_write32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

/* Registers in memory, mapped by paging_map_device(). */

static inline uint8_t mmio_read8(const volatile void *address)
{
    uint8_t value;

    __asm__ volatile("movb %1, %0"
                     : "=q"(value)
                     : "m"(*(const volatile uint8_t *)address)
                     : "memory");
    return value;
}

static inline uint16_t mmio_read16(const volatile void *address)
{
    uint16_t value;

    __asm__ volatile("movw %1, %0"
                     : "=r"(value)
                     : "m"(*(const volatile uint16_t *)address)
                     : "memory");
    return value;
}

static inline uint32_t mmio_read32(const volatile void *address)
{
    uint32_t value;

    __asm__ volatile("movl %1, %0"
                     : "=r"(value)
                     : "m"(*(const volatile uint32_t *)address)
                     : "memory");
    return value;
}

static inline void mmio_write8(volatile void *address, uint8_t value)
{
    __asm__ volatile("movb %1, %0"
                     : "=m"(*(volatile uint8_t *)address)
                     : "qi"(value)
                     : "memory");
}

static inline void mmio_write16(volatile void *address, uint16_t value)
{
    __asm__ volatile("movw %1, %0"
                     : "=m"(*(volatile uint16_t *)address)
                     : "ri"(value)
                     : "memory");
}

static inline void mmio_write32(volatile void *address, uint32_t value)
{
    __asm__ volatile("movl %1, %0"
                     : "=m"(*(volatile uint32_t *)address)
                     : "ri"(value)
                     : "memory");
}

#endif
